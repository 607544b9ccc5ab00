import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)

from jupyter_otel.export.otlp_json import to_json
from jupyter_otel.export.services import SERVICES
from jupyter_otel.sources.otlp_bodies import (
    JSON,
    MAX_BYTES,
    MAX_JSON_BYTES,
    PROTOBUF,
    Refused,
    read_encoding,
    read_requests,
    read_type,
)
from jupyter_otel.tally import Signal


def a_request(body="hello"):
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = body
    record.trace_id, record.span_id = b"t" * 16, b"s" * 8
    record.severity_number = 9
    record.time_unix_nano = 2**63
    return request


def read(text, content_type=PROTOBUF, encoding="", signal=Signal.LOGS):
    """Return what was read as one message, or why nothing was."""
    found = read_requests(signal, text, content_type=content_type, encoding=encoding)
    if isinstance(found, Refused):
        return found
    whole = SERVICES[signal].request()
    for piece in found:
        whole.MergeFrom(piece)
    return whole


@pytest.mark.parametrize(
    ("pack", "encoding"),
    [(bytes, ""), (gzip.compress, "gzip"), (zlib.compress, "deflate")],
)
def test_protobuf_and_json_say_the_same_packed_or_not(pack, encoding):
    written = a_request().SerializeToString()
    as_json = to_json(Signal.LOGS, written)

    assert read(pack(written), encoding=encoding) == a_request()
    assert read(pack(as_json), JSON, encoding) == a_request()


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_is_read_in_both_ways(signal):
    outer, inner, items = {
        Signal.LOGS: ("resource_logs", "scope_logs", "log_records"),
        Signal.TRACES: ("resource_spans", "scope_spans", "spans"),
        Signal.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
    }[signal]
    request = SERVICES[signal].request()
    for schema_url in ("a", "b"):
        resource = getattr(request, outer).add(schema_url=schema_url)
        scope = getattr(resource, inner).add(schema_url=schema_url)
        getattr(scope, items).add()
        getattr(scope, items).add()
    written = request.SerializeToString()

    assert read(written, signal=signal) == request
    assert read(to_json(signal, written), JSON, signal=signal) == request


def test_json_that_nobody_knows_is_left_out():
    assert read(b'{"resourceLogs": [], "new": {"traceId": [1]}}', JSON) == (
        ExportLogsServiceRequest()
    )


def test_fields_that_nobody_knows_are_left_out():
    unknown = b"\xfa\x3e\x06secret"  # field 1007, six bytes

    read_back = read(a_request().SerializeToString() + unknown)

    assert read_back.SerializeToString() == a_request().SerializeToString()


def deep_json(levels):
    """Return a log record whose body is an array in an array in an array."""
    value = b'{"stringValue": "x"}'
    for _ in range(levels):
        value = b'{"arrayValue": {"values": [' + value + b"]}}"
    record = b'{"body": ' + value + b"}"
    scope = b'{"logRecords": [' + record + b"]}"
    return b'{"resourceLogs": [{"scopeLogs": [' + scope + b"]}]}"


@pytest.mark.parametrize(
    ("text", "content_type", "encoding", "status"),
    [
        (b"\xff\xff", PROTOBUF, "", 400),
        (b"\xff\xff", JSON, "", 400),
        (b'{"resourceLogs": 1}', JSON, "", 400),
        (b'{"resourceLogs": [1]}', JSON, "", 400),
        (b"[1]", JSON, "", 400),
        (b"null", JSON, "", 400),
        (b"[" * 1000, JSON, "", 400),
        (deep_json(200), JSON, "", 400),
        (deep_json(1000), JSON, "", 400),
        (b"{}", JSON, "gzip", 400),
        (gzip.compress(b"{}")[:-1], JSON, "gzip", 400),
        (gzip.compress(b"{}") * 2, JSON, "gzip", 400),
        (gzip.compress(bytes(MAX_BYTES + 1)), PROTOBUF, "gzip", 413),
        (gzip.compress(bytes(MAX_JSON_BYTES + 1)), JSON, "gzip", 413),
        (bytes(MAX_BYTES + 1), PROTOBUF, "", 413),
    ],
    ids=range(15),
)
def test_what_is_no_request_is_refused(text, content_type, encoding, status):
    refused = read(text, content_type, encoding)

    assert isinstance(refused, Refused)
    assert refused.status == status


def test_a_bomb_is_never_unpacked_whole():
    bomb = gzip.compress(bytes(2**27))
    tracemalloc.start()
    try:
        refused = read(bomb, encoding="gzip")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert refused.status == 413
    assert peak_bytes < 4 * MAX_BYTES


NAMES = st.sampled_from(
    [
        *("traceId", "spanId", "timeUnixNano", "severityNumber", "body", "attributes"),
        *("key", "value", "stringValue", "intValue", "kvlistValue", "values", "flags"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=20,
)


def as_log_record(value):
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [value]}]}]}


@given(VALUES | VALUES.map(as_log_record), st.sampled_from(list(Signal)))
def test_no_json_is_more_than_a_request_or_refused(value, signal):
    answer = read(json.dumps(value).encode(), JSON, signal=signal)

    assert isinstance(answer, Refused) or answer.IsInitialized()


@given(st.binary(), st.sampled_from(["", "gzip", "deflate"]))
def test_no_bytes_are_more_than_a_request_or_refused(body, encoding):
    answer = read(body, encoding=encoding)

    assert isinstance(answer, Refused) or answer.IsInitialized()


def test_headers_are_read_as_http_writes_them():
    types = [
        "application/json; charset=utf-8",
        "Application/X-Protobuf",
        "",
        "text/xml",
    ]

    assert [read_type(text) for text in types] == [JSON, PROTOBUF, None, None]
    assert [read_encoding(text) for text in ("", " GZIP", "identity", "br")] == [
        "",
        "gzip",
        "",
        None,
    ]
