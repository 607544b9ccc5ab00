import base64
import json

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from opentelemetry.proto.common.v1 import common_pb2

from jupyter_otel.export.otlp_json import to_dict, to_json
from jupyter_otel.export.services import SERVICES
from jupyter_otel.tally import Signal

_HEX_IDS = {"traceId", "spanId", "parentSpanId"}


def fill(message, depth=0):
    """Set every field of a message, each member of a oneof in an item of its own."""
    for field in message.DESCRIPTOR.fields:
        # Attributes refer to a dictionary of keys in profiles only.
        if field.containing_oneof is None and field.name != "key_strindex":
            fill_field(message, field, depth)
    return message


def fill_field(message, field, depth):
    value = getattr(message, field.name)
    if field.type != FieldDescriptor.TYPE_MESSAGE:
        if field.is_repeated:
            value.extend([sample(field), sample(field)])
        else:
            setattr(message, field.name, sample(field))
    elif not field.is_repeated:
        value.SetInParent()
        choose(value, 0, depth)
    else:
        for choice in range(choices(field.message_type)):
            choose(value.add(), choice, depth)


def choices(descriptor):
    return max((len(one.fields) for one in descriptor.oneofs), default=1)


def choose(message, choice, depth):
    """Fill a message, taking one member of each of its oneofs."""
    if depth > 8:
        return
    fill(message, depth + 1)
    for oneof in message.DESCRIPTOR.oneofs:
        field = oneof.fields[choice % len(oneof.fields)]
        recursive = field.message_type and field.message_type.name in {
            "ArrayValue",
            "KeyValueList",
        }
        if recursive and depth > 4:
            continue
        fill_field(message, field, depth)


def sample(field):
    if field.type == FieldDescriptor.TYPE_ENUM:
        return field.enum_type.values[-1].number
    return {
        FieldDescriptor.TYPE_BYTES: b"\x00\xff\x10\xab\xcd\xef\x12\x34",
        FieldDescriptor.TYPE_STRING: 'text "ü" 🪐',
        FieldDescriptor.TYPE_BOOL: True,
        FieldDescriptor.TYPE_DOUBLE: 1.5,
        FieldDescriptor.TYPE_SINT32: -7,
        FieldDescriptor.TYPE_INT64: -7,
    }.get(field.type, 9)


def oracle(message):
    """Return protobuf's own JSON of a message, made OTLP's: hex ids, integer enums."""
    plain = json_format.MessageToDict(message, use_integers_for_enums=True)
    return with_hex_ids(plain)


def with_hex_ids(value):
    if isinstance(value, list):
        return [with_hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(item).hex() if key in _HEX_IDS else with_hex_ids(item)
        for key, item in value.items()
    }


@pytest.mark.parametrize("signal", list(Signal))
def test_every_field_is_written_as_protobuf_writes_it_but_ids_and_enums(signal):
    message = fill(SERVICES[signal].request())
    line = to_json(signal, message.SerializeToString())

    assert json.loads(line) == oracle(message)
    assert b"\n" not in line


def test_a_record_is_written_as_the_collectors_file_exporter_writes_it():
    request = SERVICES[Signal.LOGS].request()
    record = (
        request.resource_logs.add()
        .scope_logs.add()
        .log_records.add(
            time_unix_nano=1_700_000_000_000_000_001,
            severity_number=9,
            severity_text="INFO",
            event_name="a.b",
            flags=1,
            trace_id=bytes(range(16)),
            span_id=bytes(range(8)),
        )
    )
    record.body.string_value = "hello"
    for key, kind, value in [
        ("i", "int_value", -(2**63)),
        ("d", "double_value", 0.5),
        ("b", "bool_value", False),
        ("s", "string_value", ""),
        ("raw", "bytes_value", b"\xff"),
    ]:
        setattr(record.attributes.add(key=key).value, kind, value)
    record.attributes.add(key="none")
    record.attributes.add(key="empty").value.array_value.SetInParent()

    assert to_dict(Signal.LOGS, request.SerializeToString()) == {
        "resourceLogs": [
            {
                "scopeLogs": [
                    {
                        "logRecords": [
                            {
                                "timeUnixNano": "1700000000000000001",
                                "severityNumber": 9,
                                "severityText": "INFO",
                                "body": {"stringValue": "hello"},
                                "attributes": [
                                    {
                                        "key": "i",
                                        "value": {"intValue": "-9223372036854775808"},
                                    },
                                    {"key": "d", "value": {"doubleValue": 0.5}},
                                    {"key": "b", "value": {"boolValue": False}},
                                    {"key": "s", "value": {"stringValue": ""}},
                                    {"key": "raw", "value": {"bytesValue": "/w=="}},
                                    {"key": "none"},
                                    {"key": "empty", "value": {"arrayValue": {}}},
                                ],
                                "flags": 1,
                                "traceId": "000102030405060708090a0b0c0d0e0f",
                                "spanId": "0001020304050607",
                                "eventName": "a.b",
                            }
                        ]
                    }
                ]
            }
        ]
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [(float("nan"), "NaN"), (float("inf"), "Infinity"), (-float("inf"), "-Infinity")],
)
def test_numbers_that_json_has_not_are_written_as_text(value, written):
    request = SERVICES[Signal.LOGS].request()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.double_value = value
    line = json.loads(to_json(Signal.LOGS, request.SerializeToString()))

    record = line["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    assert record == {"body": {"doubleValue": written}}


def test_the_short_cut_for_attributes_knows_every_field_but_those_of_profiles():
    fields = {field.name for field in common_pb2.KeyValue.DESCRIPTOR.fields}

    assert fields <= {"key", "value", "key_strindex"}


def test_concatenated_requests_are_one_request(logs_request):
    merged = logs_request("one") + logs_request("two")

    assert [
        record["body"]["stringValue"]
        for resource in to_dict(Signal.LOGS, merged)["resourceLogs"]
        for scope in resource["scopeLogs"]
        for record in scope["logRecords"]
    ] == ["one", "two"]


def test_bytes_that_are_no_request_are_a_value_error():
    with pytest.raises(ValueError, match="no OTLP traces request"):
        to_json(Signal.TRACES, b"\xff\xff\xff")
