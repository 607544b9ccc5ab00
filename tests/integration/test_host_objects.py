# ruff: noqa: D101, D102 - what hostile objects do is in their names
"""Whatever a producer hands in, nothing is raised and the books balance."""

import collections
import decimal
import enum
import gc
import sys
import threading

import pytest
from jupyter_events import EventLogger
from traitlets.config import Config

from jupyter_otel.telemetry import Telemetry

RUN = "https://example.org/tools/run/v1"
SCHEMA = {
    "$id": RUN,
    "version": "1",
    "title": "Run",
    "type": "object",
    "properties": {"tool": {}, "n": {}},
}
OVERLAY = """
schemas:
  "https://example.org/tools/run/v1":
    level: usage
    properties: {tool: operational, "tool.**": operational, n: operational}
"""


class Hostile(Exception):  # noqa: N818 - it is what they raise
    pass


def fail(*_args, **_kwargs):
    raise Hostile


class FailsAtEverything:
    __iter__ = __eq__ = __hash__ = __repr__ = __str__ = __len__ = __bool__ = fail
    __getitem__ = __contains__ = __int__ = __float__ = __index__ = fail
    __getattr__ = __format__ = __bytes__ = __copy__ = __deepcopy__ = fail

    def __reduce_ex__(self, _protocol):
        raise Hostile


class ClaimsToBeADict(FailsAtEverything):
    __class__ = dict


class DictThatFails(dict):
    __iter__ = keys = values = items = __getitem__ = get = __len__ = fail


class DictThatLies(dict):
    def __len__(self):
        return 10**9

    def items(self):
        return [("tool", self)]

    def keys(self):
        return ["nothing", "of", "it"]


class ListThatGrows(list):
    def __iter__(self):
        while True:
            yield 1


class TextThatFails(str):
    __slots__ = ()
    __str__ = __repr__ = __hash__ = encode = __len__ = fail


class EndsTheProcess:
    def __str__(self):
        raise SystemExit

    __repr__ = __str__


class EndlessMapping(collections.abc.Mapping):
    def __iter__(self):
        number = 0
        while True:
            number += 1
            yield f"k{number}"

    def __getitem__(self, key):
        return key

    def __len__(self):
        return 1


class FailingMapping(collections.abc.Mapping):
    __iter__ = __getitem__ = __len__ = fail


def cyclic():
    made = {}
    made["tool"] = made
    return made


def nested(levels):
    made = []
    for _ in range(levels):
        made = [made]
    return {"tool": made}


HOSTILE = {
    "none": lambda: None,
    "bytes": lambda: b"tool",
    "generator": lambda: (pair for pair in [("tool", 1)]),
    "no-object": lambda: ["tool"],
    "fails-at-everything": FailsAtEverything,
    "claims-to-be-a-dict": ClaimsToBeADict,
    "dict-that-fails": lambda: DictThatFails(tool=1),
    "dict-that-lies": lambda: DictThatLies(tool=1),
    "failing-mapping": FailingMapping,
    "endless-mapping": EndlessMapping,
    "value-fails": lambda: {"tool": FailsAtEverything()},
    "value-claims": lambda: {"tool": ClaimsToBeADict()},
    "value-lies": lambda: {"tool": DictThatLies(a=1)},
    "value-bytes": lambda: {"tool": b"\xff"},
    "value-generator": lambda: {"tool": (n for n in range(3))},
    "value-set": lambda: {"tool": {1, 2}},
    "value-decimal": lambda: {"tool": decimal.Decimal("1e999999")},
    "value-complex": lambda: {"tool": 1j},
    "value-class": lambda: {"tool": dict},
    "value-module": lambda: {"tool": sys},
    "value-enum": lambda: {"tool": enum.Enum("E", "A").A},
    "value-exits": lambda: {"tool": EndsTheProcess()},
    "text-that-fails": lambda: {"tool": TextThatFails("x")},
    "key-that-fails": lambda: {TextThatFails.__new__(str, "tool"): TextThatFails("")},
    "key-object": lambda: {object(): 1},
    "key-tuple": lambda: {("a", "b"): 1},
    "key-bytes": lambda: {b"tool": 1},
    "surrogates": lambda: {"tool": "\ud800", "\udfff": 1},
    "nul": lambda: {"tool": "\0"},
    "not-a-number": lambda: {"tool": [float("nan"), float("inf")], "n": 2**4000},
    "huge-integer": lambda: {"n": 10**5000},
    "huge-text": lambda: {"tool": "x" * 20 * 2**20},
    "many-keys": lambda: {f"k{n}": n for n in range(100_000)},
    "cyclic": cyclic,
    "deep": lambda: nested(100_000),
    "rather-deep": lambda: nested(900),
}


@pytest.fixture
def telemetry(tmp_path):
    (tmp_path / "overlay.yaml").write_text(OVERLAY)
    config = Config()
    config.OtelPolicy.level = "usage"
    config.OtelPolicy.files = [str(tmp_path / "overlay.yaml")]
    config.OtelRedaction.hash_key_file = str(tmp_path / "hash_key")
    config.OtelSpool.directory = str(tmp_path / "spool")
    config.OtelExport.directory = str(tmp_path / "export")
    with Telemetry(config) as opened:
        opened.register_schema(SCHEMA)
        yield opened


def settled(telemetry):
    """Return whether all went on: a sound event passes, and the books balance."""
    before = telemetry.tally().logs.sent
    assert telemetry.emit(schema_id=RUN, data={"tool": "sound"})
    assert telemetry.flush(30)
    logs = telemetry.tally().logs
    ends = logs.sent + logs.aggregated + sum(logs.dropped.values())
    return logs.sent > before and logs.pending == 0 and logs.accepted == ends


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_data_of_any_kind_raises_nothing(telemetry, made):
    assert telemetry.emit(schema_id=RUN, data=made()) in {True, False}
    gc.collect()

    assert settled(telemetry)


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_times_and_ids_of_any_kind_raise_nothing(telemetry, made):
    good = {"tool": "x"}

    assert not telemetry.emit(schema_id=made(), data=good)
    assert telemetry.emit(schema_id=RUN, data=good, timestamp=made()) in {True, False}

    assert settled(telemetry)


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_on_the_bus_nothing_reaches_the_producer(telemetry, made):
    bus = EventLogger()
    bus.register_event_schema(SCHEMA)
    telemetry.attach(bus)
    (handler,) = bus.handlers
    data = made()

    # Past the bus's own checks, as a modifier or another handler may have left it.
    for message in (data, {"__schema__": RUN, "tool": data}, {"__schema__": data}):
        record = bus._logger.makeRecord("", 20, "", 0, message, (), None)
        assert handler.handle(record) in {True, False}

    assert settled(telemetry)


def test_data_that_never_ends_is_not_waited_for(telemetry):
    emitting = threading.Thread(
        target=telemetry.emit,
        kwargs={"schema_id": RUN, "data": {"tool": ListThatGrows([1])}},
        daemon=True,
    )
    emitting.start()
    emitting.join(30)

    assert not emitting.is_alive()
    assert settled(telemetry)
