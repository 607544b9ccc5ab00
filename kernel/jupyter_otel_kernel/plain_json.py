"""An event's data as JSON, whatever user code's objects are.

Nothing of an object's own runs here: no ``__str__``, no ``__iter__`` of a class that we
do not know. So it cannot raise, wait or print in the name of telemetry.
"""

from __future__ import annotations

import math
from json.encoder import encode_basestring as quoted
from typing import Any

MAX_DEPTH = 8
MAX_ITEMS = 128
MAX_CHARACTERS = 4096
_MAX_WHOLE = 2**63 - 1


def json_bytes(event: dict[str, Any]) -> bytes:
    """Return an event as JSON.

    NaN, infinities and what is no JSON become null, integers beyond 64 bits text;
    texts, lists and objects are cut at the limits above.
    """
    return _text(event, MAX_DEPTH).encode("utf-8", "replace")


def _text(value: object, depth: int) -> str:
    """Return a value as JSON text.

    Written as it is looked at: to make it plain first and then dump it takes three
    times as long, which a loop over many files would feel.
    """
    kind = type(value)
    if kind is str:
        return quoted(value[:MAX_CHARACTERS])  # type: ignore[index]  # it is text
    if kind is int:
        return _whole(value)  # type: ignore[arg-type]  # likewise
    if kind is dict or kind is list or kind is tuple:
        return "null" if depth == 0 else _composed(value, depth - 1)
    return _other(value)


def _composed(value: Any, depth: int) -> str:
    # Exactly these types: a subclass may do anything when it is iterated over.
    if type(value) is dict:
        members = [
            f"{quoted(str.__str__(key)[:MAX_CHARACTERS])}:{_text(item, depth)}"
            for key, item in list(value.items())[:MAX_ITEMS]
            if isinstance(key, str)
        ]
        return "{" + ",".join(members) + "}"
    items = [_text(item, depth) for item in list(value)[:MAX_ITEMS]]
    return "[" + ",".join(items) + "]"


def _other(value: object) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return quoted(str.__str__(value)[:MAX_CHARACTERS])
    if isinstance(value, int):
        return _whole(int.__int__(value))
    if isinstance(value, float):
        number = float.__float__(value)
        return float.__repr__(number) if math.isfinite(number) else "null"
    return "null"


def _whole(number: int) -> str:
    # Huge ones as hexadecimal: Python refuses to write more than 4300 decimal digits.
    if -_MAX_WHOLE <= number <= _MAX_WHOLE:
        return int.__repr__(number)
    return quoted(hex(number)[:MAX_CHARACTERS])
