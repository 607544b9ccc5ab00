"""An event's data as JSON, whatever user code's objects are.

Nothing of an object's own runs here: no ``__str__``, no ``__iter__`` of a class that we
do not know. So it cannot raise, wait or print in the name of telemetry.
"""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 8
MAX_ITEMS = 128
MAX_CHARACTERS = 4096
_MAX_BITS = 63


def json_bytes(event: dict[str, Any]) -> bytes:
    """Return an event as JSON.

    NaN, infinities and what is no JSON become null, integers beyond 64 bits text;
    texts, lists and objects are cut at the limits above.
    """
    text = json.dumps(
        _plain(event, MAX_DEPTH), ensure_ascii=False, separators=(",", ":")
    )
    return text.encode("utf-8", "replace")


def _plain(value: object, depth: int) -> Any:
    """Return what JSON can hold of a value, in Python's own types."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)[:MAX_CHARACTERS]
    if isinstance(value, int):
        return _whole(int.__int__(value))
    if isinstance(value, float):
        number = float.__float__(value)
        return number if math.isfinite(number) else None
    if depth == 0:
        return None
    return _composed(value, depth - 1)


def _composed(value: object, depth: int) -> Any:
    # Exactly these types: a subclass may do anything when it is iterated over.
    if type(value) is dict:
        items = list(value.items())[:MAX_ITEMS]
        return {
            str.__str__(key)[:MAX_CHARACTERS]: _plain(item, depth)
            for key, item in items
            if isinstance(key, str)
        }
    if type(value) in (list, tuple):
        return [_plain(item, depth) for item in list(value)[:MAX_ITEMS]]  # type: ignore[call-overload]  # a list or tuple, as said above
    return None


def _whole(number: int) -> int | str:
    # Huge ones as hexadecimal: Python refuses to write more than 4300 decimal digits.
    if number.bit_length() <= _MAX_BITS:
        return number
    return hex(number)[:MAX_CHARACTERS]
