import json

import pytest
from jupyter_client.session import Session

from jupyter_otel.sources.kernel_frames import (
    is_about_execution,
    parts_of,
    read_event,
    read_parts,
    read_relayed,
    read_relayed_event,
)

SESSION = Session(username="ann")


def message(kind="execute_request", content=None):
    return SESSION.msg(kind, content=content or {"code": "1 + 1", "silent": False})


def read(frames):
    parts = parts_of(frames)
    return None if parts is None else read_parts(parts)


def as_legacy(msg):
    return json.dumps(json.loads(SESSION.pack({**msg, "channel": "shell"})))


def test_a_kernels_message_is_read_off_its_frames():
    parent = message()
    frames = SESSION.serialize(
        SESSION.msg("stream", {"name": "stdout", "text": "hi"}, parent=parent),
        ident=[b"one", b"two"],
    )

    said = read([*frames, b"buffer"])

    assert said is not None
    assert (said.msg_type, said.parent_id) == ("stream", parent["msg_id"])
    assert said.parsed() == {"name": "stdout", "text": "hi"}
    assert said.size_bytes == len(frames[-1]) + len(b"buffer")


def test_a_kernels_message_without_a_parent_is_about_no_request():
    frames = SESSION.serialize(SESSION.msg("status", {"execution_state": "starting"}))

    assert read(frames) is None


def test_a_gateways_message_is_read_as_one_text():
    parent = message()
    text = as_legacy(SESSION.msg("status", {"execution_state": "idle"}, parent=parent))

    said = read_relayed(text)

    assert said is not None
    assert (said.msg_type, said.parent_id) == ("status", parent["msg_id"])
    assert said.parsed() == {"execution_state": "idle"}
    assert said.size_bytes == len(text)


def test_content_that_is_no_object_is_empty():
    frames = SESSION.serialize(SESSION.msg("status", {}, parent=message()))
    frames[-1] = b"[1]"

    said = read(frames)

    assert said is not None
    assert said.parsed() == {}


def test_a_message_is_about_an_execution_if_its_parent_asked_for_one():
    about = [
        is_about_execution(
            parts_of(SESSION.serialize(SESSION.msg("status", {}, parent)))
        )
        for parent in (message(), message("kernel_info_request"))
    ]

    assert about == [True, False]


EVENTS = {"channel": "c", "events": []}


def test_events_are_read_by_their_type_and_nothing_else():
    seen = [
        read_event(parts_of(SESSION.serialize(SESSION.msg(kind, EVENTS))))
        for kind in ("jupyter_otel_event", "stream")
    ]

    assert seen == [SESSION.pack(EVENTS), None]


def test_a_gateways_events_are_read_by_their_type_and_nothing_else():
    event, stream = (
        as_legacy(SESSION.msg(kind, {"text": '"jupyter_otel_event"'}))
        for kind in ("jupyter_otel_event", "stream")
    )

    assert json.loads(read_relayed_event(event)) == {"text": '"jupyter_otel_event"'}
    assert read_relayed_event(stream) is None


DELIMITER = b"<IDS|MSG>"
MARK = b'"execute_request" "jupyter_otel_event"'


@pytest.mark.parametrize(
    "frames",
    [
        None,
        [],
        [DELIMITER],
        [DELIMITER, b"", b"{}", b"{}", b"{}"],
        [DELIMITER, b"", b"[1]", b"[2]", b"{}", b"{}"],
        [DELIMITER, b"", MARK, MARK, MARK, MARK],
        [DELIMITER, b"", b"\xff", b"\xff", b"\xff", b"\xff"],
        [DELIMITER, b"", b"[" * 100_000, b"[" * 100_000, b"{}", b"{}"],
        [DELIMITER, b"", b'{"msg_type": 7}', b'{"msg_id": 8}', b"{}", b"{}"],
        [DELIMITER, b"", b'{"msg_type": []}', b'{"msg_id": "m1"}', b"{}", b"{}"],
    ],
)
def test_what_is_no_message_is_about_nothing(frames):
    parts = parts_of(frames)

    assert read(frames) is None
    assert parts is None or read_event(parts) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"header": 1}', '{"parent_header": [], "x": NaN}']
)
def test_what_a_gateway_sends_and_is_no_message_is_about_nothing(text):
    assert read_relayed(text) is None
    assert read_relayed_event(text) is None


@pytest.mark.parametrize(("channel", "believed"), [("shell", True), ("iopub", False)])
def test_a_gateways_reply_is_one_only_where_it_was_not_said_to_all(channel, believed):
    reply = SESSION.msg("execute_reply", {"status": "ok"}, parent=message())
    text = SESSION.pack({**reply, "channel": channel}).decode()

    assert (read_relayed(text) is not None) is believed
