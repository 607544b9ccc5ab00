import logging

import pytest

from jupyter_otel.sources.kernel_actions import (
    KERNEL_ACTIONS_SCHEMA,
    KernelActionsHandler,
)


def heard(*events):
    calls = []

    def hear(action):
        return lambda kernel_id: calls.append((action, kernel_id))

    names = ("start", "restart", "shutdown")
    handler = KernelActionsHandler({name: hear(name) for name in names})
    for event in events:
        handler.emit(logging.LogRecord("bus", 20, "x", 1, event, (), None))
    return calls


def action(name, **properties):
    return {
        "__schema__": KERNEL_ACTIONS_SCHEMA,
        "action": name,
        "kernel_id": "k1",
        **properties,
    }


@pytest.mark.parametrize("name", ["start", "shutdown", "restart"])
def test_what_was_done_to_a_kernel_is_heard(name):
    assert heard(action(name, status="success")) == [(name, "k1")]


@pytest.mark.parametrize(
    "event",
    [
        action("interrupt"),
        action("shutdown", status="error"),
        {**action("shutdown"), "__schema__": "https://example.org/other"},
        "text",
    ],
)
def test_anything_else_is_done_to_no_kernel(event):
    assert heard(event) == []


@pytest.mark.swallows
def test_an_error_does_not_reach_the_producer(swallowed):
    handler = KernelActionsHandler({"restart": {}.__getitem__})

    handler.emit(logging.LogRecord("bus", 20, "x", 1, action("restart"), (), None))

    [message] = [record.getMessage() for record in swallowed.records]
    assert message.startswith(
        "jupyter_otel: the watch over kernel actions went on without: KeyError at "
    )
