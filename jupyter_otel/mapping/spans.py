"""Which events are spans, and a span's own fields.

A span is made of redacted values only, carries the attributes of its log record and
shares its ids.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jupyter_otel.event import Provenance, RedactedEvent, SpanContext
from jupyter_otel.mapping.values import json_text, utf8
from jupyter_otel.mapping.wire import (
    bytes_field,
    fixed32_field,
    fixed64_field,
    varint_field,
)
from jupyter_otel.schema import (
    NamePart,
    PropertyPath,
    SpanError,
    SpanRule,
    rule_text,
)

SPAN_ATTRIBUTES = 9
MAX_OPEN_SPANS = 10_000
MAX_NAME_CHARACTERS = 128
NS_PER_MS = 1_000_000

_TRACE_ID, _SPAN_ID, _PARENT_ID, _NAME, _KIND, _START, _END = 1, 2, 4, 5, 6, 7, 8
_DROPPED_ATTRIBUTES, _STATUS, _FLAGS = 10, 15, 16
_STATUS_CODE, _ERROR = 3, 2
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
_OK_STATUS = bytes_field(_STATUS, b"")
_ERROR_STATUS = bytes_field(_STATUS, varint_field(_STATUS_CODE, _ERROR))

StartSpan = Callable[[], SpanContext]


class _SpanKey(NamedTuple):
    """What an open span is found by: nobody ends another's."""

    provenance: Provenance
    values: tuple[tuple[type, str], ...]
    """By kind, so that 1 and ``"1"`` are two."""


class Timing(NamedTuple):
    """The span that an event completes."""

    context: SpanContext
    start_ns: int
    end_ns: int


class Reader:
    """Reads redacted values by the path of their property."""

    def __init__(self, places: Mapping[PropertyPath, int]) -> None:
        self._places = places

    def read(self, event: RedactedEvent, path: PropertyPath) -> Any:
        """Return what is left of the property, None where nothing is."""
        place = self._places.get(path)
        return None if place is None else event.values[place]


class SpanFinder:
    """Finds, for one schema's events, the span that each belongs to or completes.

    Args:
        rule: The overlay's rule.
        reader: Of the schema's redacted values.
        start_span: Gives the ids of a root span to an event that brings none.
    """

    def __init__(self, rule: SpanRule, reader: Reader, start_span: StartSpan) -> None:
        self._rule = rule
        self._reader = reader
        self._start_span = start_span
        self._open: OrderedDict[_SpanKey, Timing] = OrderedDict()

    def find(self, event: RedactedEvent) -> tuple[SpanContext | None, Timing | None]:
        """Return the context of the event's record, and the span if it ends here."""
        if self._rule.duration_ms is not None:
            return self._by_duration(event, self._rule.duration_ms)
        key = self._key(event)
        if key is None:
            return event.span, None
        if self._marks(event, self._rule.start):
            return self._begin(event, key), None
        timing = self._open.get(key)
        if timing is None:
            return event.span, None
        if not self._marks(event, self._rule.end):
            return timing.context, None
        self._open.pop(key)
        return timing.context, timing._replace(end_ns=event.time_ns)

    def _by_duration(
        self, event: RedactedEvent, path: PropertyPath
    ) -> tuple[SpanContext | None, Timing | None]:
        duration_ms = self._reader.read(event, path)
        # NaN is neither; no duration starts a span before the epoch.
        if type(duration_ms) not in (int, float) or not duration_ms >= 0:
            return event.span, None
        context = event.span or self._start_span()
        start_ns = event.time_ns - int(min(duration_ms * NS_PER_MS, event.time_ns))
        return context, Timing(context, start_ns, event.time_ns)

    def _begin(self, event: RedactedEvent, key: _SpanKey) -> SpanContext:
        context = event.span or self._start_span()
        if len(self._open) >= MAX_OPEN_SPANS:
            self._open.popitem(last=False)
        self._open[key] = Timing(context, event.time_ns, 0)
        return context

    def _key(self, event: RedactedEvent) -> _SpanKey | None:
        """Return what start and end share; None where a part of it is missing."""
        values = [self._reader.read(event, path) for path in self._rule.key]
        if None in values:
            return None
        return _SpanKey(event.provenance, tuple(map(_of_its_kind, values)))

    def _marks(self, event: RedactedEvent, marks: Mapping[PropertyPath, Any]) -> bool:
        return bool(marks) and all(
            _is_same(self._reader.read(event, path), value)
            for path, value in marks.items()
        )


class SpanNamer:
    """Names spans as an overlay says, in few characters.

    Args:
        parts: The overlay's.
        event_name: Of the schema's events.
        reader: Of their redacted values.
        method: The property that is exported as ``http.request.method``, if any.
    """

    def __init__(
        self,
        parts: Sequence[NamePart],
        event_name: str,
        reader: Reader,
        method: PropertyPath | None = None,
    ) -> None:
        self._method = method
        self._parts = parts
        self._event_name = event_name
        self._reader = reader

    def name(self, event: RedactedEvent) -> str:
        """Return the name; the event's where every property of it is missing."""
        words = []
        for literal, path in self._parts:
            value = None if path is None else self._reader.read(event, path)
            # OpenTelemetry's HTTP spans: a method that is none reads HTTP in the name.
            if value == "_OTHER" and path == self._method:
                value = "HTTP"
            words.append(literal + (rule_text(value) or ""))
        return "".join(words).strip()[:MAX_NAME_CHARACTERS] or self._event_name


def error_type(rule: SpanError, event: RedactedEvent, reader: Reader) -> str | None:
    """Return ``error.type`` where the overlay's rule says that the event failed."""
    if rule_text(reader.read(event, rule.property)) not in rule.values:
        return None
    for path in rule.type:
        kind = rule_text(reader.read(event, path))
        if kind:
            return kind
    return "_OTHER"


def span_fields(timing: Timing, name: str, kind: str) -> bytes:
    """Return a span's fields before its attributes."""
    context, start_ns, end_ns = timing
    return (
        bytes_field(_TRACE_ID, context.trace_id)
        + bytes_field(_SPAN_ID, context.span_id)
        + (
            bytes_field(_PARENT_ID, context.parent_span_id)
            if context.parent_span_id
            else b""
        )
        + bytes_field(_NAME, utf8(name))
        + varint_field(_KIND, _KINDS[kind])
        + fixed64_field(_START, start_ns)
        + fixed64_field(_END, end_ns)
    )


def span_tail(context: SpanContext, dropped: int, *, failed: bool) -> bytes:
    """Return a span's fields after its attributes."""
    flags = _HAS_IS_REMOTE | (_IS_REMOTE if context.parent_span_id else 0)
    return (
        (varint_field(_DROPPED_ATTRIBUTES, dropped) if dropped else b"")
        + (_ERROR_STATUS if failed else _OK_STATUS)
        + fixed32_field(_FLAGS, flags)
    )


def _of_its_kind(value: Any) -> tuple[type, str]:
    """Return what tells values apart that Python or their text does not.

    Integers and floats are one kind, as in JSON Schema.
    """
    text = rule_text(value)
    if text is None:
        return list, json_text(value)
    kind = type(value)
    return (float if kind is int else kind), text


def _is_same(value: Any, marked: Any) -> bool:
    """Compare as JSON Schema does: true is not 1."""
    return bool(value == marked) and (value is True or value is False) == isinstance(
        marked, bool
    )
