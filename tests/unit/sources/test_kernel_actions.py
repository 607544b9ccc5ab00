# ruff: noqa: D102 - the methods of test doubles are documented where they are real
import pytest

from jupyter_otel.sources.kernel_actions import (
    KERNEL_ACTIONS_SCHEMA,
    KernelActions,
    telling,
)


class Manager:
    """What stands in the place of jupyter_server's own class."""

    def __init__(self) -> None:
        self.emitted = []

    def emit(self, schema_id, data):
        self.emitted.append((schema_id, data))


def heard(data, schema_id=KERNEL_ACTIONS_SCHEMA):
    calls = []

    def hear(action):
        return lambda kernel_id: calls.append((action, kernel_id))

    names = ("start", "restart", "shutdown")
    actions = KernelActions({name: hear(name) for name in names})
    manager = telling(Manager, actions)()
    manager.emit(schema_id=schema_id, data=data)
    assert manager.emitted == [(schema_id, data)]
    return calls


def action(name, **properties):
    return {"action": name, "kernel_id": "k1", **properties}


@pytest.mark.parametrize("name", ["start", "shutdown", "restart"])
def test_what_was_done_to_a_kernel_is_heard(name):
    assert heard(action(name, status="success")) == [(name, "k1")]


@pytest.mark.parametrize(
    "data", [action("interrupt"), action("shutdown", status="error"), {}]
)
def test_anything_else_is_done_to_no_kernel(data):
    assert heard(data) == []


def test_another_schemas_events_are_not_looked_at():
    assert heard(action("shutdown"), "https://example.org/other") == []


@pytest.mark.swallows
def test_an_error_does_not_reach_the_producer(swallowed):
    manager = telling(Manager, KernelActions({"restart": {}.__getitem__}))()

    manager.emit(schema_id=KERNEL_ACTIONS_SCHEMA, data=action("restart"))

    assert len(manager.emitted) == 1
    [message] = [record.getMessage() for record in swallowed.records]
    assert message.startswith(
        "jupyter_otel: the watch over kernel actions went on without: KeyError at "
    )
