import json

import pytest
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import (
    deserialize_binary_message,
    deserialize_msg_from_ws_v1,
    serialize_binary_message,
    serialize_msg_to_ws_v1,
)

from jupyter_otel.sources.kernel_wire import (
    ExecuteRequest,
    carries_state,
    read_request,
    with_metadata,
)

SESSION = Session(username="ann")
TRACEPARENT = "00-11111111111111111111111111111111-2222222222222222-01"


def message(kind="execute_request", content=None, metadata=None):
    content = {"code": "1 + 1", "silent": False} if content is None else content
    return SESSION.msg(kind, content=content, metadata=metadata or {})


def as_v1(msg, buffers=()):
    parts = [
        SESSION.pack(msg[part])
        for part in ("header", "parent_header", "metadata", "content")
    ]
    return serialize_msg_to_ws_v1([*parts, *buffers], "shell")


def as_legacy(msg):
    text = json.loads(SESSION.pack({**msg, "channel": "shell", "buffers": []}))
    return json.dumps(text)


WIRES = pytest.mark.parametrize("wire", [as_v1, as_legacy])


@WIRES
def test_an_execute_request_is_read(wire):
    msg = message(metadata={"cellId": "a1"})

    assert read_request(wire(msg)) == ExecuteRequest(
        msg_id=msg["msg_id"],
        username="ann",
        subprotocol_v1=wire is as_v1,
        metadata={"cellId": "a1"},
        code="1 + 1",
        silent=False,
        stores_history=True,
        channel="shell",
    )


@WIRES
@pytest.mark.parametrize(
    "kind", ["kernel_info_request", "comm_msg", "complete_request"]
)
def test_other_messages_are_no_execute_requests(wire, kind):
    assert read_request(wire(message(kind, {"code": "x"}))) is None


@WIRES
def test_code_that_names_an_execute_request_is_none(wire):
    content = {"code": 'send("execute_request")', "x": "execute_request"}

    assert read_request(wire(message("complete_request", content))) is None


def changed_v1(msg, index, part):
    channel, parts = deserialize_msg_from_ws_v1(as_v1(msg))
    parts[index] = part(parts[index]) if callable(part) else part
    return serialize_msg_to_ws_v1(parts, channel)


def escaped(text):
    letter = "\\u0065"
    return text.replace("execute_request", f"{letter}xecute_request")


def test_an_execute_request_is_one_however_its_type_is_written():
    msg = message()
    binary = serialize_binary_message({**msg, "channel": "shell", "buffers": []})
    header = changed_v1(msg, 0, lambda part: escaped(part.decode()).encode())
    written = [
        read_request(header),
        read_request(escaped(as_legacy(msg))),
        read_request(escaped(binary.decode()).encode(), subprotocol_v1=False),
    ]

    assert [request and request.msg_id for request in written] == [msg["msg_id"]] * 3


def test_a_request_without_an_id_is_none_to_a_kernel_either():
    msg = message()
    del msg["header"]["msg_id"]

    assert read_request(as_v1(msg)) is None


def test_a_requests_channel_is_read_and_is_shell_where_none_is_named():
    _, parts = deserialize_msg_from_ws_v1(as_v1(message()))
    legacy = json.loads(as_legacy(message()))
    del legacy["channel"]
    read = [
        read_request(serialize_msg_to_ws_v1(parts, "control")),
        read_request(json.dumps({**legacy, "channel": "control"})),
        read_request(json.dumps(legacy)),
    ]

    channels = [request and request.channel for request in read]
    assert channels == ["control", "control", "shell"]


@pytest.mark.parametrize("metadata", [b"null", b"[]", b"[1]", b'"x"'])
def test_metadata_that_are_no_object_are_none(metadata):
    text = changed_v1(message(), 2, metadata)
    request = read_request(text)
    after = read_request(with_metadata(text, {"a": "b"}))

    assert request is not None
    assert after == request._replace(metadata={"a": "b"})
    assert request.metadata == {}


def test_bytes_that_are_no_text_are_read_as_kernels_read_them():
    msg = message(content={"code": "ODD"})
    text = changed_v1(msg, 3, lambda part: part.replace(b"ODD", b"\xff1"))

    request = read_request(text)

    assert request is not None
    assert request.code == "\ufffd1"


@pytest.mark.parametrize("count", [7, 100, 2**64 - 1])
def test_a_table_that_claims_more_parts_than_there_are_hides_no_request(count):
    msg = message()
    text = count.to_bytes(8, "little") + as_v1(msg)[8:]

    request = read_request(text)
    after = read_request(with_metadata(text, {"a": "b"}))

    assert request is not None
    assert request.msg_id == msg["msg_id"]
    assert after == request._replace(metadata={"a": "b"})


@WIRES
def test_json_that_is_not_strict_is_read_all_the_same(wire):
    odd = message(content={"code": "ODD", "silent": False})
    text = '"x\\ud800", "nan": NaN'
    before = wire(odd)
    if wire is as_v1:
        channel, parts = deserialize_msg_from_ws_v1(before)
        parts[3] = parts[3].replace(b'"ODD"', text.encode())
        before = serialize_msg_to_ws_v1(parts, channel)
    else:
        before = before.replace('"ODD"', text)

    request = read_request(before)
    after = read_request(with_metadata(before, {"a": "b"}))

    assert request is not None
    assert request.code == "x\ud800"
    assert after == request._replace(metadata={"a": "b"})


def test_v1_metadata_is_replaced_and_the_rest_is_byte_for_byte_the_same():
    msg = message(metadata={"cellId": "a1", "tracestate": "x=y", "baggage": "z=1"})
    before = as_v1(msg, [b"\0\1", b""])

    after = with_metadata(before, {"traceparent": TRACEPARENT})

    channel, parts = deserialize_msg_from_ws_v1(after)
    _, old = deserialize_msg_from_ws_v1(before)
    assert channel == "shell"
    assert json.loads(parts[2]) == {"cellId": "a1", "traceparent": TRACEPARENT}
    assert parts[:2] + parts[3:] == old[:2] + old[3:]


def test_legacy_metadata_is_replaced_and_the_rest_means_the_same():
    msg = message(metadata={"cellId": "a1", "tracestate": "x=y", "baggage": "z=1"})
    before = as_legacy(msg)

    after = json.loads(with_metadata(before, {"traceparent": TRACEPARENT}))

    expected = json.loads(before)
    expected["metadata"] = {"cellId": "a1", "traceparent": TRACEPARENT}
    assert after == expected


@WIRES
def test_a_clients_own_traceparent_gives_way(wire):
    msg = message(metadata={"traceparent": "theirs"})

    after = read_request(with_metadata(wire(msg), {"traceparent": TRACEPARENT}))

    assert after is not None
    assert after.metadata == {"traceparent": TRACEPARENT}


@pytest.mark.parametrize(
    ("metadata", "carries"),
    [({}, False), ({"traceparent": "x"}, False), ({"baggage": 1}, True)],
)
def test_state_of_a_client_is_seen(metadata, carries):
    request = read_request(as_v1(message(metadata=metadata)))

    assert request is not None
    assert carries_state(request) is carries


@pytest.mark.parametrize(
    "noise",
    [b"", b"\0", b"\xff" * 40, b"\2" + b"\0" * 7 + b"\xff" * 8, "", "null", "[1]"],
)
def test_noise_is_no_execute_request(noise):
    assert read_request(noise) is None


def test_a_legacy_message_with_buffers_is_read_and_its_buffers_stay():
    msg = {**message(metadata={"cellId": "a1"}), "channel": "shell"}
    before = serialize_binary_message({**msg, "buffers": [b"abc", b"", b"d"]})

    request = read_request(before, subprotocol_v1=False)
    after = with_metadata(before, {"traceparent": TRACEPARENT}, subprotocol_v1=False)

    assert request is not None
    assert (request.msg_id, request.code) == (msg["msg_id"], "1 + 1")
    assert request.subprotocol_v1 is False
    read = deserialize_binary_message(after)
    assert read["metadata"] == {"cellId": "a1", "traceparent": TRACEPARENT}
    assert [bytes(buffer) for buffer in read["buffers"]] == [b"abc", b"", b"d"]
    assert read["content"] == msg["content"]


@pytest.mark.parametrize(
    ("content", "stores"), [({}, True), ({"store_history": False}, False)]
)
def test_a_request_to_leave_no_history_is_seen(content, stores):
    request = read_request(as_v1(message(content={"code": "1", **content})))

    assert request is not None
    assert request.stores_history is stores
