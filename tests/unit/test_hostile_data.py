"""Data that no producer should send: never an exception, a sound record or a count."""

import json
import math

import pytest

from tests.unit.records import (
    EVERYTHING,
    TIME,
    TOOL,
    integer,
    open_telemetry,
    set_aside,
    text,
)

SCHEMA = {"$id": TOOL, "properties": {"a": {}, "b": {}}}
NOT_JSON, TOO_LARGE = ("refused", "not_json"), ("dropped", "too_large")


def nested_in_lists(levels):
    data = []
    for _ in range(levels - 1):
        data = [data]
    return data


def cycle():
    data = {"b": 1}
    data["a"] = [data]
    return data


class Unwilling:
    """An object that raises whatever is asked of it."""

    def __str__(self):
        raise RuntimeError

    __repr__ = __iter__ = __len__ = __str__


class UnwillingMapping(dict):
    """A mapping that cannot be read."""

    items = keys = values = __iter__ = Unwilling.__str__


A = "jupyter.event.a"
READABLE = {
    "NaN": ({"a": math.nan}, [text(A, "NaN")]),
    "infinities": ({"a": [math.inf, -math.inf]}, [text(A, '["Infinity","-Infinity"]')]),
    "NaN inside": ({"a": {"b": [math.nan, 1]}}, [text(A, '{"b":["NaN",1]}')]),
    "NaN beside null": ({"a": [None, math.nan]}, [text(A, '[null,"NaN"]')]),
    "huge integer": ({"a": 10**400}, [text(A, "1" + "0" * 400)]),
    "huge integer inside": ({"a": {"b": 2**64}}, [text(A, f'{{"b":"{2**64}"}}')]),
    "lone surrogate": ({"a": "x\ud800y"}, [text(A, "x\ufffdy")]),
    "lone surrogate as key": ({"a": {"\udfff": 1}}, [text(A, '{"\ufffd":1}')]),
    "undeclared surrogate": ({"\ud800": 1, "a": 2}, [integer(A, 2)]),
    "NUL and escapes": ({"a": "\0\x1b[2J\x7f"}, [text(A, "\0\x1b[2J\x7f")]),
    "10 000 undeclared keys": (
        {"a": 1} | {f"k{n}": n for n in range(10_000)},
        [integer(A, 1)],
    ),
    "10 000 keys inside": (
        {"a": {f"k{n}": n for n in range(10_000)}},
        [
            text(
                A,
                json.dumps({f"k{n}": n for n in range(10_000)}, separators=(",", ":")),
            )
        ],
    ),
    "200 levels": ({"a": nested_in_lists(200)}, [text(A, "[" * 200 + "]" * 200)]),
    "number as key": ({"a": {1: 2}, 3: 4}, [text(A, '{"1":2}')]),
    "subclass of text": ({"a": type("Text", (str,), {})("x")}, [text(A, "x")]),
    "pair": ({"a": (1, "x")}, [text(A, '[1,"x"]')]),
    "nothing": ({}, []),
}


@pytest.fixture
def telemetry(tmp_path):
    with open_telemetry(tmp_path, overlay=EVERYTHING) as opened:
        opened.register_schema(SCHEMA)
        yield opened


@pytest.mark.parametrize(("data", "payload"), READABLE.values(), ids=READABLE.keys())
def test_what_can_be_read_becomes_a_sound_record(telemetry, tmp_path, data, payload):
    assert telemetry.emit(schema_id=TOOL, data=data, timestamp=TIME)
    assert telemetry.flush()

    (line,) = (tmp_path / "export" / "logs.jsonl").read_text("utf-8").splitlines()
    (scope,) = json.loads(line)["resourceLogs"][0]["scopeLogs"]
    (log_record,) = set_aside({"log_record": scope["logRecords"][0]}).values()
    attributes = log_record["attributes"]
    assert [a for a in attributes if a["key"].startswith("jupyter.event.")] == payload
    assert len(log_record["body"]["stringValue"]) < 200


UNREADABLE = {
    "bytes": ({"a": b"x"}, NOT_JSON),
    "set": ({"a": {1}}, NOT_JSON),
    "complex number": ({"a": 1j}, NOT_JSON),
    "cycle": (cycle(), NOT_JSON),
    "integer of 5000 digits": ({"a": 10**5000}, NOT_JSON),
    "100 000 levels": ({"a": nested_in_lists(100_000)}, NOT_JSON),
    "tuple as key": ({(1, 2): 3}, NOT_JSON),
    "unwilling object": ({"a": Unwilling()}, NOT_JSON),
    "list": ([1], NOT_JSON),
    "text": ("a", NOT_JSON),
    "nothing": (None, NOT_JSON),
    "10 MB text": ({"a": "x" * 10_000_000}, TOO_LARGE),
    "20 MB text": ({"a": "x" * 20_000_000}, TOO_LARGE),
}


@pytest.mark.parametrize(("data", "end"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_or_is_too_large_is_counted_once(telemetry, data, end):
    accepted = telemetry.emit(schema_id=TOOL, data=data)
    assert telemetry.flush()

    kind, reason = end
    logs = telemetry.tally().logs
    assert getattr(logs, kind) == {reason: 1}
    assert (logs.sent, logs.pending) == (0, 0)
    assert accepted <= (kind == "dropped")


def test_a_thousand_levels_are_refused_or_a_counted_drop(telemetry):
    # How deep `json` writes and reads differs between versions of Python.
    telemetry.emit(schema_id=TOOL, data={"a": nested_in_lists(1_000)})
    assert telemetry.flush()

    logs = telemetry.tally().logs
    assert sum(logs.refused.values()) + sum(logs.dropped.values()) == 1
    assert (logs.sent, logs.pending) == (0, 0)


def test_a_mapping_that_cannot_be_read_never_raises(telemetry):
    telemetry.emit(schema_id=TOOL, data=UnwillingMapping(a=1))

    assert telemetry.flush()


def test_a_valid_record_still_leaves_after_all_that(telemetry):
    for data, _ in UNREADABLE.values():
        telemetry.emit(schema_id=TOOL, data=data)
    assert telemetry.emit(schema_id=TOOL, data={"a": 1})

    assert telemetry.flush()
    assert telemetry.tally().logs.sent == 1


def test_what_the_schema_forbids_is_dropped_as_invalid(telemetry):
    telemetry.register_schema(
        {"$id": "urn:strict", "properties": {"a": {"type": "null"}}}
    )

    assert telemetry.emit(schema_id="urn:strict", data={"a": math.nan})

    assert telemetry.flush()
    assert telemetry.tally().logs.dropped == {"invalid": 1}


@pytest.mark.parametrize("levels", range(500, 1000, 50))
def test_nesting_too_deep_is_never_called_a_bug_of_ours(telemetry, levels):
    telemetry.emit(schema_id=TOOL, data={"a": nested_in_lists(levels)})
    assert telemetry.flush()

    logs = telemetry.tally().logs
    assert set(logs.refused) | set(logs.dropped) <= {"not_json", "invalid"}
