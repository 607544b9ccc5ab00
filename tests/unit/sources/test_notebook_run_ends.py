"""How runs of notebooks end, as their client's hooks tell it.

The client is nbclient's own, its kernel made up: `notebook_rig`.
"""

import asyncio
import gc
from contextlib import contextmanager, suppress

import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell

from tests.unit.sources.notebook_rig import EXECUTION, OK, RUN, Client, error, told


@contextmanager
def ending(client):
    """End a client's kernel while an exception passes, as nbclient does."""
    try:
        yield
    finally:
        client.end()


def test_an_error_that_nbclient_raises_makes_the_run_fail(runs, intake):
    client = Client(["1", "2"], **runs.hooks()).start()
    client.run(error("NameError"))
    client.end()

    assert told(intake)[2:] == [
        (EXECUTION, "finished", "error"),
        (RUN, "finished", "error"),
    ]
    assert intake.taken[-1].data["error_name"] == "NameError"
    assert intake.taken[-1].data["cells_failed"] == 1


@pytest.mark.parametrize(
    ("traits", "tags"),
    [
        ({"allow_errors": True}, []),
        ({"allow_error_names": ["NameError"]}, []),
        ({}, ["raises-exception"]),
    ],
)
def test_an_error_that_is_allowed_leaves_the_run_ok(runs, intake, traits, tags):
    cell = new_code_cell("x", metadata={"tags": tags})
    client = Client([cell], **traits, **runs.hooks()).start()
    client.run(error("NameError"))
    client.end()

    assert told(intake)[2:] == [
        (EXECUTION, "finished", "error"),
        (RUN, "finished", "ok"),
    ]
    assert intake.taken[-1].data["cells_failed"] == 1


def test_forced_errors_are_not_allowed_by_a_tag(runs, intake):
    cell = new_code_cell("x", metadata={"tags": ["raises-exception"]})
    client = Client([cell], force_raise_errors=True, **runs.hooks()).start()
    client.run(error("NameError"))
    client.end()

    assert told(intake)[-1] == (RUN, "finished", "error")


def test_a_kernel_that_was_interrupted_interrupts_the_run(runs, intake):
    client = Client(["1"], **runs.hooks()).start()
    client.run(error("KeyboardInterrupt"))
    client.end()

    assert told(intake)[2:] == [
        (EXECUTION, "finished", "interrupted"),
        (RUN, "finished", "interrupted"),
    ]


@pytest.mark.parametrize(
    ("raised", "cell_status", "run_status", "error_name"),
    [
        (DeadKernelError("x"), "kernel_died", "kernel_died", None),
        (CellTimeoutError("x"), "interrupted", "timeout", None),
        (KeyboardInterrupt(), "interrupted", "interrupted", None),
        (asyncio.CancelledError(), "interrupted", "interrupted", None),
        (ValueError("x"), "disconnected", "error", "ValueError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ends_a_run_is_told_by_the_exception(
    runs, intake, raised, cell_status, run_status, error_name
):
    client = Client(["1"], **runs.hooks()).start()
    client.send()
    with pytest.raises(type(raised)), ending(client):
        raise raised

    assert told(intake)[2:] == [
        (EXECUTION, "finished", cell_status),
        (RUN, "finished", run_status),
    ]
    assert intake.taken[-1].data.get("error_name") == error_name


def test_an_exception_that_was_there_before_the_run_ends_nothing(runs, intake):
    with suppress(ValueError):
        try:
            int("none")
        finally:
            client = Client(["1"], **runs.hooks()).start()
            client.run(OK)
            client.end()

    assert told(intake)[-1] == (RUN, "finished", "ok")


def test_a_kernel_that_goes_under_a_cell_was_taken_away(runs, intake):
    client = Client(["1"], **runs.hooks()).start()
    client.send()
    client.end()

    assert told(intake)[2:] == [
        (EXECUTION, "finished", "interrupted"),
        (RUN, "finished", "interrupted"),
    ]


def test_a_kernel_that_goes_unasked_has_died(runs, intake):
    client = Client(["1"], **runs.hooks()).start()
    client.send()
    client.manager.shutting_down = False
    client.end()

    assert told(intake)[2:] == [
        (EXECUTION, "finished", "kernel_died"),
        (RUN, "finished", "kernel_died"),
    ]


def test_a_run_ends_once(runs, intake):
    client = Client(["1"], **runs.hooks()).start()
    client.run(OK)
    client.end()
    client.call("on_notebook_complete", notebook=client.nb)
    runs.close()

    assert told(intake)[3:] == [(RUN, "finished", "ok")]


def test_where_the_kernel_stays_the_notebook_s_end_ends_the_run(runs, intake):
    client = Client(["1"], **runs.hooks()).start()
    client.run(OK)
    client.call("on_notebook_complete", notebook=client.nb)

    assert told(intake)[-1] == (RUN, "finished", "ok")


def test_what_is_open_at_the_close_is_disconnected(runs, intake):
    client = Client(["1"], **runs.hooks()).start()
    client.send()
    runs.close()

    assert told(intake)[2:] == [
        (EXECUTION, "finished", "disconnected"),
        (RUN, "finished", "disconnected"),
    ]


def test_a_client_that_goes_without_an_end_ends_its_run(runs, intake):
    client = Client(["1"], **runs.hooks()).start()
    client.run(OK)
    del client
    gc.collect()

    assert told(intake)[-1] == (RUN, "finished", "ok")
