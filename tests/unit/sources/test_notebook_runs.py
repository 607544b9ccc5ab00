"""Runs of notebooks, as the hooks of a client of nbclient's tell of them.

The client is nbclient's own, its kernel made up: `notebook_rig`.
"""

from copy import deepcopy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jupyter_otel.event import SpanContext
from tests.unit.sources.notebook_rig import EXECUTION, OK, RUN, Client, error, told

NS_PER_MS = 1_000_000


def test_a_run_and_its_cells_are_reported_whole(runs, intake, clock):
    cells = ["a\nb", new_markdown_cell("text"), "  ", "c"]
    client = Client(cells, **runs.hooks()).start()
    clock.now_ns += 5 * NS_PER_MS
    client.send(0)
    clock.now_ns += 2 * NS_PER_MS
    client.answer(OK, 0)
    clock.now_ns += NS_PER_MS
    client.end()

    about = {"kernel_id": "k1", "kernel_name": "python3"}
    run = {"engine": "nbclient", **about}
    cell = {**about, "client": "nbclient", "cell_id": "c0", "code_lines": 2}
    assert [taken.data for taken in intake.taken] == [
        {"phase": "started", **run, "cell_count": 2},
        {"phase": "started", **cell},
        {
            "phase": "finished",
            **cell,
            "status": "ok",
            "duration_ms": 2.0,
            "execution_count": 1,
        },
        {
            "phase": "finished",
            **run,
            "status": "ok",
            "duration_ms": 8.0,
            "cells_run": 1,
            "cells_failed": 0,
        },
    ]
    assert [taken.attribution.time_ns for taken in intake.taken] == [
        0,
        5 * NS_PER_MS,
        7 * NS_PER_MS,
        8 * NS_PER_MS,
    ]


def test_cells_are_children_of_their_run(runs, intake):
    client = Client(["1", "2"], **runs.hooks()).start()
    client.run(OK, 0)
    client.run(OK, 1)
    client.end()

    run = SpanContext(b"t" * 16, b"\1" * 8, b"p" * 8)
    first, second = (
        SpanContext(b"t" * 16, number * 8, b"\1" * 8) for number in (b"\2", b"\3")
    )
    spans = [taken.attribution.span for taken in intake.taken]
    assert spans == [run, first, first, second, second, run]


def test_one_request_carries_the_span_of_its_cell(runs):
    client = Client(["1"], **runs.hooks()).start()

    sent = client.send()

    assert sent == {"mine": 1, "traceparent": "0202020202020202"}
    assert client.kc.session.metadata == {"mine": 1}


def test_metadata_that_were_lent_are_taken_back_at_the_end(runs):
    client = Client(["1"], **runs.hooks()).start()
    cell = client.nb.cells[0]
    client.call("on_cell_execute", cell=cell, cell_index=0)  # and sending it failed

    client.end()

    assert client.kc.session.metadata == {"mine": 1}


def test_without_traces_no_metadata_and_no_spans(make_runs, intake):
    client = Client(["1"], **make_runs(spans=None).hooks()).start()

    assert client.send() == {"mine": 1}
    assert [taken.attribution.span for taken in intake.taken] == [None, None]


def test_a_long_cell_is_reported_while_it_runs(runs, intake, clock):
    client = Client(["1"], **runs.hooks()).start()
    client.send()
    [(delay_s, beat)] = clock.waiting
    clock.now_ns = 60 * 10**9
    clock.waiting.clear()
    beat()
    client.answer(OK)

    assert delay_s == 60.0
    assert told(intake)[2:] == [
        (EXECUTION, "running", None),
        (EXECUTION, "finished", "ok"),
    ]
    assert intake.taken[2].attribution.time_ns == 60 * 10**9
    assert clock.waiting == []


def test_a_client_that_was_given_its_kernel_begins_with_its_first_cell(runs, intake):
    client = Client(["1"], **runs.hooks())
    client.run(OK)
    client.end()

    assert told(intake) == [
        (RUN, "started", None),
        (EXECUTION, "started", None),
        (EXECUTION, "finished", "ok"),
        (RUN, "finished", "ok"),
    ]


def test_a_second_notebook_of_a_client_ends_the_first(runs, intake):
    client = Client(["1"], **runs.hooks()).start()
    client.run(OK)
    client.start()

    assert told(intake)[3:] == [(RUN, "finished", "ok"), (RUN, "started", None)]


def test_clients_that_run_at_the_same_time_are_kept_apart(runs, intake):
    hooks = runs.hooks()
    one, two = Client(["1"], **hooks).start(), Client(["2"], **hooks).start()
    one.send()
    two.run(error("NameError"))
    two.end()
    one.answer(OK)
    one.end()

    spans = [taken.attribution.span.span_id[0] for taken in intake.taken]
    assert list(zip(told(intake), spans, strict=True)) == [
        ((RUN, "started", None), 1),
        ((RUN, "started", None), 2),
        ((EXECUTION, "started", None), 3),
        ((EXECUTION, "started", None), 4),
        ((EXECUTION, "finished", "error"), 4),
        ((RUN, "finished", "error"), 2),
        ((EXECUTION, "finished", "ok"), 3),
        ((RUN, "finished", "ok"), 1),
    ]


def test_code_is_handed_in_where_it_is_taken(make_runs, intake):
    client = Client(["1 + 1"], **make_runs(takes_code=True).hooks()).start()
    client.send()

    assert intake.taken[-1].data["code"] == "1 + 1"


def test_the_cell_that_papermill_writes_is_never_handed_in(make_runs, intake):
    cell = new_code_cell("token = 'x'", metadata={"tags": ["injected-parameters"]})
    client = Client([cell], **make_runs(takes_code=True).hooks()).start()
    client.send()

    assert "code" not in intake.taken[-1].data


def test_a_path_that_the_caller_names_goes_to_run_and_cells(make_runs, intake):
    runs = make_runs(notebook_path="a/b.ipynb")
    client = Client(["1"], **runs.hooks()).start()
    client.send()

    paths = [taken.data["notebook_path"] for taken in intake.taken]
    assert paths == ["a/b.ipynb", "a/b.ipynb"]


def test_what_policy_does_not_collect_is_not_handed_in(make_runs, intake):
    client = Client(["1"], **make_runs(execution_schema=None).hooks()).start()
    client.run(OK)
    client.end()

    assert [schema for schema, _, _ in told(intake)] == [RUN, RUN]


def test_hooks_are_copied_as_they_are(runs):
    hooks = runs.hooks()

    assert deepcopy(hooks) == hooks


@pytest.mark.swallows
def test_hooks_that_nobody_known_calls_do_nothing(runs, intake):
    for hook in runs.hooks().values():
        hook(notebook=new_notebook())

    assert intake.taken == []


@pytest.mark.swallows
def test_a_hook_that_fails_lets_the_run_go_on(make_runs):
    def parent():
        raise ValueError("no")

    client = Client(["1"], **make_runs(parent=parent).hooks()).start()

    assert client.send() == {"mine": 1}
    client.answer(OK)
    client.end()
