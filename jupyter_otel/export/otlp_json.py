"""OTLP/JSON: a request as the specification and the Collector's file exporter write it.

Unlike protobuf's own JSON mapping: ids are hex, enums are integers. As in it: 64-bit
integers are text, bytes are base64, and fields of default value are left out.
Specification: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

import math
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeAlias

import orjson
from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]

from jupyter_otel.export.services import SERVICES
from jupyter_otel.tally import Signal

_Convert: TypeAlias = Callable[[Any], object]

_HEX_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
_HEX_NAMES = frozenset({"traceId", "spanId", "parentSpanId", *_HEX_FIELDS})
_RECORDS = frozenset({"LogRecord", "Span", "Metric"})
_POLITE_EVERY = 32
_PAUSE_S = 50e-6
_64_BIT = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
        FieldDescriptor.TYPE_SINT64,
    }
)


def to_json(signal: Signal, request: bytes) -> bytes:
    """Return a serialized request as OTLP/JSON in UTF-8, one line without its end.

    Raises:
        ValueError: The bytes are no request of this signal.
    """
    return orjson.dumps(to_dict(signal, request))


def to_dict(signal: Signal, request: bytes) -> dict[str, Any]:
    """Return a serialized request as the dictionary that its OTLP/JSON holds.

    Raises:
        ValueError: The bytes are no request of this signal.
    """
    message = SERVICES[signal].request()
    try:
        message.ParseFromString(request)
    except DecodeError as error:
        raise ValueError(f"no OTLP {signal} request") from error
    return message_to_dict(message)


def from_dict(signal: Signal, request: Mapping[str, Any]) -> Message:
    """Return OTLP/JSON, as it was loaded, as a request; unknown fields are left out.

    Raises:
        ValueError: It is no request of this signal.
    """
    message = SERVICES[signal].request()
    try:
        found = with_base64_ids(request)
        json_format.ParseDict(found, message, ignore_unknown_fields=True)
    # What protobuf's reader raises for JSON of wrong types is not its own errors only.
    except (json_format.ParseError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no OTLP/JSON {signal} request") from error
    return message


def with_base64_ids(value: Any) -> Any:
    """Return JSON with its ids as protobuf's own JSON has them."""
    if isinstance(value, list):
        return [with_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _base64(bytes.fromhex(item))
        if name in _HEX_NAMES and isinstance(item, str)
        else with_base64_ids(item)
        for name, item in value.items()
    }


def message_to_dict(message: Message) -> dict[str, Any]:
    """Return any OTLP message as the dictionary that its OTLP/JSON holds."""
    found = {}
    # Only fields that are set come; descriptors are singletons of the pool.
    for field, value in message.ListFields():
        name, convert = _converter(field)
        found[name] = convert(value)
    return found


@cache
def _converter(field: FieldDescriptor) -> tuple[str, _Convert]:
    convert = _scalar_converter(field)
    if not field.is_repeated:
        return field.json_name, convert
    if field.message_type and field.message_type.name in _RECORDS:
        return field.json_name, lambda records: _convert_politely(convert, records)
    return field.json_name, lambda values: [convert(value) for value in values]


def _convert_politely(convert: _Convert, records: Iterable[Any]) -> list[object]:
    """Convert records, letting other threads run in between.

    Else an event loop waits for the interpreter's switch interval, 5 ms, again and
    again while a large request is written.
    """
    found = []
    for number, record in enumerate(records, start=1):
        found.append(convert(record))
        if number % _POLITE_EVERY == 0:
            time.sleep(_PAUSE_S)
    return found


def _scalar_converter(field: FieldDescriptor) -> _Convert:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _FAST.get(field.message_type.full_name, message_to_dict)
    if field.type in _64_BIT:
        return str
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes.hex if field.name in _HEX_FIELDS else _base64
    if field.type in {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}:
        return _number
    return _as_it_is


def _key_value(pair: Any) -> dict[str, Any]:
    # Like `message_to_dict`, but faster: most of a request is these.
    found = {"key": pair.key} if pair.key else {}
    if pair.HasField("value"):
        found["value"] = _any_value(pair.value)
    # A field that the protocol gets would be lost here; a test watches.
    return found


def _any_value(value: Any) -> dict[str, Any]:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return {"stringValue": value.string_value}
    if kind == "int_value":
        return {"intValue": str(value.int_value)}
    if kind == "bool_value":
        return {"boolValue": value.bool_value}
    return message_to_dict(value)


_FAST: dict[str, _Convert] = {
    "opentelemetry.proto.common.v1.KeyValue": _key_value,
    "opentelemetry.proto.common.v1.AnyValue": _any_value,
}


def _as_it_is(value: object) -> object:
    return value


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
