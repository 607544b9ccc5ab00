# ruff: noqa: D102 - the methods of test doubles are documented where they are real
"""Requests to run code that the server does not hand to the kernel."""

from types import SimpleNamespace

import pytest
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from tests.unit.sources.kernel_rig import SESSION, PlainConnection, Rig, as_v1


class ZmqConnection(PlainConnection):
    """As jupyter_server's own class: it sends on its channels alone."""

    subprotocol = "v1.kernel.websocket.jupyter.org"

    def __init__(self) -> None:
        super().__init__()
        self.channels = dict.fromkeys(("shell", "iopub", "stdin", "control"))
        kernels = SimpleNamespace(allowed_message_types=[])
        self.kernel_manager = SimpleNamespace(kernel_name="python3", parent=kernels)

    def handle_incoming_message(self, message):
        if not isinstance(message, bytes):
            raise TypeError
        super().handle_incoming_message(message)


class BrokenConnection(PlainConnection):
    """One that cannot send."""

    def handle_incoming_message(self, message):
        raise BrokenPipeError


@pytest.fixture
def schema(intake):
    return intake.adopt({"$id": "execution"}, "test")


@pytest.fixture
def rig(intake, schema):
    return Rig(intake, schema, base=ZmqConnection)


def on(channel):
    """Return a request on a channel."""
    _, parts = deserialize_msg_from_ws_v1(
        as_v1(SESSION.msg("execute_request", {"code": "1", "silent": False}))
    )
    return serialize_msg_to_ws_v1(parts, channel)


@pytest.mark.parametrize(
    ("channel", "reported"),
    [("shell", 1), ("control", 1), ("iopub", 0), ("stdin", 0), ("nowhere", 0)],
)
def test_only_a_request_on_a_channel_that_runs_code_is_an_execution(
    rig, channel, reported
):
    rig.connection.handle_incoming_message(on(channel))

    assert len(rig.intake.taken) == reported


def test_a_request_on_a_closed_connection_is_no_execution(rig):
    rig.connection.channels = {}

    rig.ask()

    assert rig.intake.taken == []


@pytest.mark.parametrize(
    ("allowed", "reported"), [(["execute_request"], 1), (["kernel_info_request"], 0)]
)
def test_a_request_of_a_type_that_the_server_stops_is_no_execution(
    rig, allowed, reported
):
    rig.connection.kernel_manager.parent.allowed_message_types = allowed

    rig.ask()

    assert len(rig.intake.taken) == reported


def test_text_on_a_binary_connection_is_no_execution(rig):
    msg = SESSION.msg("execute_request", {"code": "1", "silent": False})
    text = SESSION.pack({**msg, "channel": "shell"}).decode()

    with pytest.raises(TypeError):
        rig.connection.handle_incoming_message(text)

    assert rig.intake.taken == []


def test_a_request_that_could_not_be_sent_ends_at_once(intake, schema):
    rig = Rig(intake, schema, base=BrokenConnection)

    with pytest.raises(BrokenPipeError):
        rig.ask()

    told = [(event["phase"], event.get("status")) for event in intake.data]
    assert told == [("started", None), ("finished", "untracked")]
