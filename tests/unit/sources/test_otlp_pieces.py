import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)

from jupyter_otel.export.otlp_json import from_dict, to_json
from jupyter_otel.sources.otlp_pieces import (
    MAX_LAYERS,
    MAX_RECORDS,
    json_pieces,
    protobuf_pieces,
)
from jupyter_otel.tally import Signal

TEXTS = st.text(max_size=300)
REQUESTS = st.lists(
    st.tuples(TEXTS, st.lists(st.tuples(TEXTS, st.lists(TEXTS)), max_size=3)),
    max_size=3,
)


def request_of(resources):
    """Return a request of log records: texts of resources, scopes and bodies."""
    request = ExportLogsServiceRequest()
    for resource_text, scopes in resources:
        resource = request.resource_logs.add(schema_url=resource_text)
        resource.resource.attributes.add(key=resource_text)
        for scope_text, bodies in scopes:
            scope = resource.scope_logs.add(schema_url=scope_text)
            scope.scope.name = scope_text
            for body in bodies:
                scope.log_records.add().body.string_value = body
    return request


def flat(request):
    """Return each record with all that is said around it."""
    return [
        (
            resource.schema_url,
            str(resource.resource),
            scope.schema_url,
            str(scope.scope),
            str(record),
        )
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def joined(pieces):
    return [record for piece in pieces for record in flat(piece)]


@given(REQUESTS, st.integers(1, 500))
def test_the_pieces_say_what_the_request_says(resources, piece_bytes):
    request = request_of(resources)

    pieces = protobuf_pieces(request.SerializeToString(), piece_bytes)

    read = [ExportLogsServiceRequest.FromString(piece) for piece in pieces]
    assert joined(read) == flat(request)


@given(REQUESTS, st.integers(1, 500))
def test_the_pieces_of_json_say_what_the_request_says(resources, piece_bytes):
    request = request_of(resources)
    loaded = json.loads(to_json(Signal.LOGS, request.SerializeToString()))

    pieces = json_pieces(Signal.LOGS, loaded, piece_bytes)

    read = [from_dict(Signal.LOGS, piece) for piece in pieces]
    assert joined(read) == flat(request)


def test_many_records_are_many_pieces():
    request = request_of([("r", [("s", ["b" * 100] * 1000)])])
    body = request.SerializeToString()
    loaded = json.loads(to_json(Signal.LOGS, body))

    sizes = [len(piece) for piece in protobuf_pieces(body, 2000)]
    json_sizes = [
        len(json.dumps(piece)) for piece in json_pieces(Signal.LOGS, loaded, 2000)
    ]

    assert max(sizes) < 2200
    assert len(sizes) < 70
    assert max(json_sizes) < 2400
    assert len(json_sizes) < 120


def test_a_large_head_is_not_repeated_without_end():
    request = request_of([("r" * 10_000, [("s", ["b"] * 10_000)])])
    body = request.SerializeToString()
    text = to_json(Signal.LOGS, body)
    of_json = json_pieces(Signal.LOGS, json.loads(text), 10)

    assert sum(map(len, protobuf_pieces(body, 10))) < 3 * len(body)
    assert sum(len(json.dumps(piece)) for piece in of_json) < 3 * len(text)


def test_json_in_names_as_protobuf_writes_them_is_no_otlp():
    scope = {"log_records": [{}], "scope": {"name": "s"}}
    named = {"resource_logs": [{}], "resourceLogs": [{"scopeLogs": [scope]}]}

    [piece] = json_pieces(Signal.LOGS, named)

    [resource] = from_dict(Signal.LOGS, piece).resource_logs
    [left] = resource.scope_logs
    assert (left.scope.name, len(left.log_records)) == ("s", 0)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",  # a length is missing
        b"\x0a\x05abc",  # shorter than it says
        b"\x0a\x02\x12\x05",  # the same one layer below
        b"\x0b",  # a group
        b"\x0d\x00",  # half of four bytes
        b"\xff" * 20,  # a number without an end
    ],
)
def test_what_is_no_protobuf_is_told(body):
    with pytest.raises(ValueError, match=r"no (whole )?OTLP request"):
        list(protobuf_pieces(body))


@pytest.mark.parametrize(
    "resources",
    [
        [("r", [])] * (MAX_LAYERS + 1),
        [("r", [("s", [])] * 100)] * (MAX_LAYERS // 101 + 1),
        [("r", [("s", [""] * (MAX_RECORDS // 10 + 1))] * 10)],
    ],
    ids=["resources", "scopes", "records"],
)
def test_a_request_of_very_many_parts_is_told(resources):
    body = request_of(resources).SerializeToString()
    loaded = json.loads(to_json(Signal.LOGS, body))

    with pytest.raises(ValueError, match="too many parts"):
        list(protobuf_pieces(body))
    with pytest.raises(ValueError, match="too many parts"):
        list(json_pieces(Signal.LOGS, loaded))


def test_other_fields_stay_where_they_were():
    unknown = b"\xf8\x3e\x01\xf9\x3e12345678\xfd\x3e1234\xfa\x3e\x01a"
    resource = b"\x1a\x01u" + unknown
    body = b"\x0a" + bytes([len(resource)]) + resource

    assert list(protobuf_pieces(body)) == [body]
