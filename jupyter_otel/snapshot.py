"""The copy of an event's data that is taken on the producer's thread, as JSON.

JSON is the copy: later changes by the producer do not reach it, and nothing that is
not JSON gets past it. Numbers that strict JSON lacks are kept, in Python's spelling.
"""

import json
import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

import orjson

MAX_SNAPSHOT_BYTES = 16 * 2**20
"""Of one event; the queue, which holds 64 MiB, has room for a few of these."""
_MAX_ITEMS = 2**18
"""Of a mapping that is no dict; nobody's event has so many properties."""
_NULL = b"null"
_TAKEN_SLOWLY = b" "
"""Begins a snapshot that only `json` may read: orjson makes huge integers floats."""


def take_snapshot(data: object) -> bytes | None:
    """Return the data of an event as JSON, or None if it is no JSON object.

    Lone surrogates become U+FFFD; keys that are numbers become text, as in `json`.
    """
    # Data may be anybody's object, whose methods raise anything, and another thread may
    # change it meanwhile.
    try:
        # The first test answers nearly always, and at a tenth of the second's cost.
        if type(data) is not dict and not isinstance(data, dict):
            return _take_mapping(data)
        # orjson gives a kilobyte's block, cut down in place. Thousands of those would
        # wait in the queue, each a hole in the heap; a copy costs a tenth of that.
        snapshot = orjson.dumps(data) + b" "
        # orjson writes NaN and infinities as null; only then is a second look due.
        if _NULL in snapshot and _holds_non_finite(data):
            return _take_slowly(data)
    except Exception:  # noqa: BLE001
        return _take_slowly(data)
    return snapshot


def read_snapshot(snapshot: bytes) -> Any:
    """Return the data of a snapshot, non-finite and huge numbers included."""
    if snapshot.startswith(_TAKEN_SLOWLY):
        return json.loads(snapshot)
    return orjson.loads(snapshot)


def _take_mapping(data: object) -> bytes | None:
    if not isinstance(data, Mapping):
        return None
    # One that computes its items may have no end of them.
    items = dict(islice(data.items(), _MAX_ITEMS + 1))
    return take_snapshot(items) if len(items) <= _MAX_ITEMS else None


def _take_slowly(data: object) -> bytes | None:
    """Take what orjson refuses: huge integers, lone surrogates, numbers as keys."""
    try:
        text = json.dumps(data, ensure_ascii=False, default=_as_plain)
    except Exception:  # noqa: BLE001 - as in `take_snapshot`
        return None
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _TAKEN_SLOWLY + text.encode()


def _as_plain(value: object) -> Any:
    """Return what orjson would have made of a value that `json` does not know."""
    return orjson.loads(orjson.dumps(value))


def _holds_non_finite(value: object) -> bool:
    try:
        return _look_for_non_finite(value)
    except RecursionError:
        return True


def _look_for_non_finite(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, Mapping):
        return any(_look_for_non_finite(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_look_for_non_finite(item) for item in value)
    return False
