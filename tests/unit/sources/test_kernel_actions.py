import logging

import pytest

from jupyter_otel.sources.kernel_actions import (
    KERNEL_ACTIONS_SCHEMA,
    KernelActionsHandler,
)


def heard(*events):
    gone = []
    handler = KernelActionsHandler(gone.append)
    for event in events:
        handler.emit(logging.LogRecord("bus", 20, "x", 1, event, (), None))
    return gone


def action(name, **properties):
    return {
        "__schema__": KERNEL_ACTIONS_SCHEMA,
        "action": name,
        "kernel_id": "k1",
        **properties,
    }


@pytest.mark.parametrize("name", ["shutdown", "restart"])
def test_a_kernel_that_was_stopped_or_restarted_is_gone(name):
    assert heard(action(name, status="success")) == ["k1"]


@pytest.mark.parametrize(
    "event",
    [
        action("start"),
        action("interrupt"),
        action("shutdown", status="error"),
        {**action("shutdown"), "__schema__": "https://example.org/other"},
        "text",
    ],
)
def test_anything_else_ends_no_kernel(event):
    assert heard(event) == []


@pytest.mark.swallows
def test_an_error_does_not_reach_the_producer(swallowed):
    handler = KernelActionsHandler({}.__getitem__)

    handler.emit(logging.LogRecord("bus", 20, "x", 1, action("restart"), (), None))

    [message] = [record.getMessage() for record in swallowed.records]
    assert message.startswith(
        "jupyter_otel: the watch over kernel actions went on without: KeyError at "
    )
