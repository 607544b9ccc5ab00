"""Programs that run notebooks go on as without us; people without Python decide too."""

import json
import subprocess
import sys

import pytest

from tests.integration.conftest import environment
from tests.integration.notebook_runs import COLLECTING, NBCONVERT, Home, cell

PAPERMILL = "papermill --engine"
PLAIN = [
    cell("print('a')\nimport sys; print('b', file=sys.stderr)", name="prints"),
    cell("1/0", "raises-exception", name="raises"),
    cell("from IPython.display import HTML; HTML('<b>x</b>')", name="shows"),
]
TIMINGS = {"execution", "start_time", "end_time", "duration"}
CANARY = "canary-4cc1d2f0a9"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def options(engine):
    return ["in.ipynb", "out.ipynb"] if engine == PAPERMILL else ["in.ipynb"]


def without_timings(value):
    """Return a notebook's JSON without what differs from run to run."""
    if isinstance(value, dict):
        return {
            key: without_timings(inner)
            for key, inner in value.items()
            if key not in TIMINGS
        }
    if isinstance(value, list):
        return [without_timings(inner) for inner in value]
    return value


def consent(home, *words):
    command = [sys.executable, "-m", "jupyter_otel.cli.main", "consent", *words]
    env = environment(home.home)
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True)


@pytest.mark.parametrize("engine", ["nbclient", PAPERMILL, "nbconvert"])
def test_the_notebook_is_the_same_but_for_timings(home, engine):
    # papermill puts a cell with a random id before the first that raises.
    home.write([each for each in PLAIN if (engine, each.id) != (PAPERMILL, "raises")])
    with_us = home.run(engine, *options(engine))
    assert with_us.told

    home.configure(jupyter_otel="", jupyter_nbconvert="")
    text = json.dumps(without_timings(with_us.notebook))
    without_us = home.run(engine, *options(engine))

    assert json.dumps(without_timings(without_us.notebook)) == text


@pytest.mark.parametrize("engine", [PAPERMILL, "nbconvert"])
def test_a_configuration_that_cannot_be_used_is_one_line_and_the_run_goes_on(
    home, engine
):
    home.configure(
        jupyter_otel="c.OtelPolicy.level = 'much'\nc.OtelSpool.max_mib = -1\n"
    )
    home.write([cell("print('done')")])

    run = home.run(engine, *options(engine))

    assert run.returncode == 0, run.output
    assert run.notebook["cells"][0]["outputs"][0]["text"] == ["done\n"]
    lines = [line for line in run.output.splitlines() if "Otel" in line]
    [line] = [line for line in lines if "jupyter_otel records no run" in line]
    assert lines == [line]
    assert run.told == []


@pytest.mark.parametrize("engine", [PAPERMILL, "nbconvert"])
def test_not_configured_nothing_is_made(home, engine):
    home.configure(jupyter_otel="")
    home.write([cell("1")])

    run = home.run(engine, *options(engine))

    assert run.returncode == 0, run.output
    assert not (home.home / "data" / "jupyter_otel").exists()


def test_where_people_are_asked_the_account_s_answer_counts(home):
    home.configure(jupyter_otel=COLLECTING.replace("mandatory", "opt_in"))
    home.write([cell("1", name="first")])

    unasked = home.run("nbconvert").told
    consent(home, "grant", "executions")
    granted = home.run("nbconvert").told

    assert unasked == []
    assert [(name, phase) for name, _, phase, _ in granted if name != "consent"] == [
        ("notebook_run", "started"),
        ("execution", "started"),
        ("execution", "finished"),
        ("notebook_run", "finished"),
    ]


def test_an_application_s_own_runs_are_nobody_s(home):
    home.configure(jupyter_otel=COLLECTING.replace("mandatory", "opt_in"))
    home.write([cell("1", name="first")])

    run = home.run("nbclient")

    assert len(run.told) == 4
    assert not [key for log in run.logs for key in log.attributes if "user." in key]


def test_the_parameters_of_a_run_are_never_recorded(home):
    home.write([cell("word = 'none'", "parameters"), cell("len(word)", name="uses")])

    run = home.run(PAPERMILL, "-p", "word", CANARY, "in.ipynb", "out.ipynb")

    assert CANARY in str(run.notebook)
    codes = [log.attributes.get("jupyter.event.code") for log in run.logs]
    assert codes == [
        None,
        *["word = 'none'"] * 2,
        None,
        None,
        *["len(word)"] * 2,
        None,
    ]
    ours = home.home / "data" / "jupyter_otel"
    files = [path for path in ours.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]


def test_a_run_is_a_child_of_the_program_s_own_span(home):
    home.write([cell("1", name="first")])

    run = home.run("span", TRACEPARENT=f"00-{'1' * 32}-{'2' * 16}-01")

    [whole] = [span.raw for span in run.spans.values() if span.name == "run"]
    task = run.output.splitlines()[-1].split()
    assert [whole["traceId"], whole["parentSpanId"]] == task


def test_a_telemetry_that_is_closed_stops_no_run(home):
    home.write([cell("print('done')")])

    run = home.run("closed")

    assert (run.returncode, run.told) == (0, [])
    assert run.notebook["cells"][0]["outputs"][0]["text"] == ["done\n"]


def test_notebooks_that_run_at_the_same_time_are_kept_apart(home):
    names = ["a", "b", "c"]
    for name in names:
        cells = [cell("import time; time.sleep(0.2)", name=f"{name}{n}") for n in "12"]
        home.write(cells, f"{name}.ipynb")

    run = home.run("async", *(f"{name}.ipynb" for name in names))

    runs = {key for key, span in run.spans.items() if span.name == "run"}
    cells_of = {key: [] for key in runs}
    for span in run.spans.values():
        if span.name == "execute":
            parent = span.raw["parentSpanId"]
            cells_of[parent].append(span.attributes["jupyter.cell.id"])
    assert sorted(map(sorted, cells_of.values())) == [
        ["a1", "a2"],
        ["b1", "b2"],
        ["c1", "c2"],
    ]
    assert len(run.told) == 3 * (2 + 4)


def test_a_long_cell_is_told_while_it_runs(home):
    home.configure(jupyter_otel=f"{COLLECTING}c.OtelSources.heartbeat_s = 0.5\n")
    home.write([cell("import time; time.sleep(2)", name="long")])

    phases = [phase for _, cell_id, phase, _ in home.run("nbconvert").told if cell_id]

    assert phases[0] == "started"
    assert phases[-1] == "finished"
    assert set(phases[1:-1]) == {"running"}


def test_a_forked_worker_loses_nothing_at_its_end(home):
    home.write([cell("1", name="first")])

    run = home.run("worker")

    assert run.told[-1] == ("notebook_run", None, "finished", "ok")
    assert len(run.told) == 4


def test_nbconvert_runs_several_notebooks_one_after_the_other(home):
    home.write([cell("1", name="one")])
    home.write([cell("2", name="two")], "other.ipynb")

    run = home.run("nbconvert", "in.ipynb", "other.ipynb")

    assert run.returncode == 0, run.output
    assert [each[:3] for each in run.told if each[0] == "execution"] == [
        ("execution", "one", "started"),
        ("execution", "one", "finished"),
        ("execution", "two", "started"),
        ("execution", "two", "finished"),
    ]
    ends = [each for each in run.told if each[0] == "notebook_run"]
    assert [each[2:] for each in ends] == [("started", None), ("finished", "ok")] * 2


def test_the_recipe_in_the_documentation_is_the_one_that_is_tested(request):
    page = request.config.rootpath / "docs" / "notebooks.md"
    assert NBCONVERT.strip() in page.read_text()
