"""Real notebooks, run without a server by real programs, as they are exported."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.notebook_runs import ENDS, PARENT, TRACE, Home

PAPERMILL = "papermill --engine"
ENGINES = ("nbclient", PAPERMILL, "nbconvert")
CASES = [
    *((engine, end) for end in ENDS for engine in ENGINES),
    ("async", "ok"),
    ("async", "interrupt"),
    ("papermill", "ok"),
    ("papermill", "died"),
    ("papermill inside", "ok"),
    ("papermill inside", "died"),
]
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
STATUSES = {  # of the first cell, the second and the run
    "ok": ("ok", "ok", "ok"),
    "error": ("ok", "error", "error"),
    "allowed": ("error", "ok", "ok"),
    "died": ("ok", "kernel_died", "kernel_died"),
    "timeout": ("ok", "interrupted", "timeout"),
    "interrupt": ("ok", "interrupted", "interrupted"),
}


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    """Return what returns a case's run; they go on beside each other."""

    def run(case):
        engine, end = case
        home = Home(tmp_path_factory.mktemp("home"))
        home.write(ENDS[end])
        inputs = ["in.ipynb", "out.ipynb"] if engine == PAPERMILL else ["in.ipynb"]
        return home.run(engine, *inputs, end=end, TRACEPARENT=TRACEPARENT)

    with ThreadPoolExecutor(3) as pool:
        yield {case: pool.submit(run, case) for case in CASES}.__getitem__


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("engine", "end"), CASES)
def test_each_run_and_each_cell_is_told_once_with_its_true_end(run_of, engine, end):
    first, second, whole = STATUSES[end]
    if engine == PAPERMILL and end == "allowed":
        whole = "error"  # papermill allows none: it fails in the end

    run = run_of((engine, end)).result()

    assert run.told == [
        ("notebook_run", None, "started", None),
        ("execution", "first", "started", None),
        ("execution", "first", "finished", first),
        ("execution", "second", "started", None),
        ("execution", "second", "finished", second),
        ("notebook_run", None, "finished", whole),
    ], run.output
    assert (run.returncode == 0) is (whole == "ok")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", [*ENGINES, "async", "papermill"])
def test_the_trace_goes_from_who_started_it_to_the_user_s_own_span(run_of, engine):
    run = run_of((engine, "ok")).result()

    [whole] = [span for span in run.spans.values() if span.name == "run"]
    cells = [span for span in run.spans.values() if span.name == "execute"]
    [printed] = [each for each in run.notebook["cells"] if each["id"] == "second"]
    user_s = "".join(printed["outputs"][0]["text"]).split()
    assert {span.raw["traceId"] for span in (whole, *cells)} == {TRACE}
    assert whole.raw["parentSpanId"] == PARENT
    assert [span.raw["parentSpanId"] for span in cells] == [whole.raw["spanId"]] * 2
    assert user_s == [TRACE, cells[1].raw["spanId"]]
    for log in run.logs:
        assert log.raw["spanId"] in run.spans
        assert log.raw["traceId"] == TRACE


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("engine", "name", "path"),
    [
        ("nbclient", "nbclient", None),
        (PAPERMILL, "papermill", "in.ipynb"),
        ("papermill", "papermill", "in.ipynb"),
        ("nbconvert", "nbconvert", "in.ipynb"),
    ],
)
def test_a_run_tells_what_ran_and_where(run_of, engine, name, path):
    run = run_of((engine, "ok")).result()

    attributes = [log.attributes for log in run.logs]
    [kernel] = {each["jupyter.kernel.id"] for each in attributes}
    assert kernel
    assert {each.get("jupyter.notebook.path") for each in attributes} == {path}
    finished = attributes[-1]
    assert finished.pop("jupyter.event.duration_ms") > 0
    assert {
        key: value for key, value in finished.items() if key.startswith("jupyter.event")
    } == {
        "jupyter.event.phase": "finished",
        "jupyter.event.status": "ok",
        "jupyter.event.engine": name,
        "jupyter.event.kernel_name": "python3",
        "jupyter.event.cells_run": 2,
        "jupyter.event.cells_failed": 0,
    }
    assert finished["jupyter.source"] == "app"
    assert [each.get("jupyter.event.client") for each in attributes[1:-1]] == [name] * 4
