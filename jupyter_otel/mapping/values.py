"""JSON values as OTLP ``AnyValue``: which shape each takes, and its bytes.

The rules are the contract's: scalars as themselves, arrays of scalars of one kind as
arrays, everything else as one JSON text; what OTLP has no room for becomes text.
"""

import json
import math
from typing import Any

import orjson

from jupyter_otel.mapping.wire import UINT64, bytes_field, double_field, varint_field

_STRING, _BOOL, _INT, _DOUBLE, _ARRAY = 1, 2, 3, 4, 5
_MIN_INT64, _MAX_INT64 = -(2**63), 2**63 - 1


def shape(value: Any) -> Any:
    """Return a JSON value as text, boolean, integer, float, or a list of one of them.

    A list that mixes integers and floats becomes floats, since OpenTelemetry's
    arrays hold values of one type.
    """
    if isinstance(value, dict):
        return json_text(value)
    if not isinstance(value, list):
        return _shape_number(value)
    kinds = {type(item) for item in value}
    if len(kinds) <= 1 and kinds <= {str, bool}:
        return value
    if kinds <= {int, float} and all(_is_plain(item) for item in value):
        return value if len(kinds) <= 1 else [float(item) for item in value]
    return json_text(value)


def json_text(value: Any) -> str:
    """Return compact JSON; numbers that JSON or 64 bits cannot hold become text."""
    try:
        text = orjson.dumps(value)
    except (TypeError, ValueError):
        return json.dumps(_spelled(value), separators=(",", ":"), ensure_ascii=False)
    # orjson writes NaN and infinities as null; only then is a second look due.
    if b"null" in text:
        text = orjson.dumps(_spelled(value))
    return text.decode()


def cut(value: Any, max_characters: int | None) -> Any:
    """Return a shaped value with each text in it no longer than the limit."""
    if max_characters is None:
        return value
    if isinstance(value, str):
        return value[:max_characters]
    if isinstance(value, list):
        return [cut(item, max_characters) for item in value]
    return value


def any_value(value: Any) -> bytes:
    """Return a shaped value as a serialized ``AnyValue``."""
    if isinstance(value, str):
        return bytes_field(_STRING, utf8(value))
    if isinstance(value, bool):
        return varint_field(_BOOL, value)
    if isinstance(value, int):
        return varint_field(_INT, value)
    if isinstance(value, float):
        return double_field(_DOUBLE, value)
    items = b"".join(bytes_field(1, any_value(item)) for item in value)
    return bytes_field(_ARRAY, items)


def utf8(text: str) -> bytes:
    """Return text as UTF-8, with U+FFFD for each lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return well_formed(text).encode()


def well_formed(text: str) -> str:
    """Return text with surrogate pairs joined and lone ones replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _shape_number(value: Any) -> Any:
    if type(value) in (int, float) and not _is_plain(value):
        return _spell(value)
    return value


def _is_plain(number: float) -> bool:
    """Return whether OTLP holds the number as a number."""
    if isinstance(number, int):
        return _MIN_INT64 <= number <= _MAX_INT64
    return math.isfinite(number)


def _spell(number: float) -> str:
    """Return a number as text, in JavaScript's words where it is not finite."""
    if isinstance(number, int):
        return str(number)
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {well_formed(key): _spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if isinstance(value, str):
        return well_formed(value)
    if type(value) is int and _MIN_INT64 <= value <= UINT64:
        return value  # as orjson, whatever stands beside it
    return _shape_number(value)
