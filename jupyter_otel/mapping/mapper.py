"""Compiles, for each schema, the mapping of its redacted events to OTLP bytes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jupyter_otel.event import RedactedEvent, Slot, SpanContext
from jupyter_otel.mapping.attributes import AttributeEncoder
from jupyter_otel.mapping.body import BodyWriter
from jupyter_otel.mapping.limits import AttributeLimits
from jupyter_otel.mapping.names import event_name
from jupyter_otel.mapping.severity import DEFAULT_SEVERITY, as_key, severity_fields
from jupyter_otel.mapping.spans import (
    SPAN_ATTRIBUTES,
    Reader,
    SpanFinder,
    SpanNamer,
    StartSpan,
    error_type,
    span_fields,
    span_tail,
)
from jupyter_otel.mapping.uid import UidMaker
from jupyter_otel.mapping.wire import (
    bytes_field,
    fixed32_field,
    fixed64_field,
    varint_field,
)
from jupyter_otel.schema import Schema

LOG_ATTRIBUTES = 6
_TIME, _OBSERVED, _DROPPED_ATTRIBUTES, _FLAGS, _TRACE_ID, _SPAN_ID, _EVENT_NAME = (
    1,
    11,
    7,
    8,
    9,
    10,
    12,
)


class Mapped(NamedTuple):
    """What one event became."""

    log_record: bytes
    span: bytes | None
    unsampled: bool
    """Whether it completed a span that the sampler left out."""


class _AttributeSet:
    """The attributes of one schema's records of one kind, in order."""

    def __init__(self, field: int, frame: "_Frame", limits: AttributeLimits) -> None:
        characters = limits.max_characters
        self._max_count = limits.max_count
        encoders = {
            name: AttributeEncoder(field, name, characters) for name in frame.names
        }
        fixed = [encoders[name].encode(value) for name, value in frame.fixed]
        self._fixed = b"".join(fixed)
        self._fixed_pieces = fixed
        self._encoders = encoders
        self._payload = [
            None if name is None else encoders[name] for name in frame.payload
        ]

    def encode(
        self, event: RedactedEvent, uid: str, extra: Sequence[tuple[str, str]]
    ) -> tuple[bytes, int]:
        """Return the serialized attributes and how many were left out."""
        encoders = self._encoders
        pieces = [
            encoders["jupyter.source"].encode(event.source.value),
            encoders["jupyter.trust"].encode(event.trust.value),
            encoders["log.record.uid"].encode(uid),
        ]
        if event.user is not None:
            name, value = event.user
            pieces.append(encoders[name].encode(value))
        collided = 0
        for encoder, value in zip(self._payload, event.values, strict=True):
            if value is None:
                continue
            if encoder is None:
                collided += 1
            else:
                pieces.append(encoder.encode(value))
        pieces += [encoders[name].encode(value) for name, value in extra]
        return self._limit(pieces, collided)

    def _limit(self, pieces: list[bytes], collided: int) -> tuple[bytes, int]:
        count = len(self._fixed_pieces) + len(pieces)
        if count <= self._max_count:
            return self._fixed + b"".join(pieces), collided
        kept = (self._fixed_pieces + pieces)[: self._max_count]
        return b"".join(kept), collided + count - len(kept)


class _Frame:
    """The names of a schema's attributes, and the values that never change."""

    _FIRST = ("jupyter.source", "jupyter.trust", "log.record.uid")
    _USER = ("user.hash", "user.name")
    ERROR_TYPE = "error.type"

    def __init__(self, schema: Schema, slots: Sequence[Slot], name: str) -> None:
        fixed = {
            "otel.event.name": name,
            "jupyter.schema.id": schema.id,
            "jupyter.schema.version": schema.version,
            "jupyter.schema.package": schema.package,
        }
        self.fixed = [(key, value) for key, value in fixed.items() if value is not None]
        taken = {*fixed, *self._FIRST, *self._USER}
        self.payload: list[str | None] = []
        for slot in slots:
            attribute = slot.attribute or ".".join(("jupyter.event", *slot.path))
            # The first declared wins a name that two properties would share.
            self.payload.append(None if attribute in taken else attribute)
            taken.add(attribute)
        self.has_error_type = self.ERROR_TYPE in taken
        self.names = taken | {self.ERROR_TYPE}


class SchemaMapping:
    """Writes the log record, and where an overlay says so the span, of each event.

    Not thread-safe: one worker runs it.
    """

    def __init__(
        self,
        schema: Schema,
        slots: Sequence[Slot],
        start_span: StartSpan,
        limits: tuple[AttributeLimits, AttributeLimits],
        uids: UidMaker,
    ) -> None:
        name = event_name(schema.id)
        frame = _Frame(schema, slots, name)
        overlay = schema.overlay
        self._log_attributes = _AttributeSet(LOG_ATTRIBUTES, frame, limits[0])
        self._span_attributes = _AttributeSet(SPAN_ATTRIBUTES, frame, limits[1])
        self._adds_error_type = not frame.has_error_type
        self._body = BodyWriter(name, [slot.path for slot in slots], frame.payload)
        self._event_name = bytes_field(_EVENT_NAME, name.encode())
        self._uids = uids
        places = {slot.path: place for place, slot in enumerate(slots)}
        self._reader = Reader(places)
        self._severity = overlay.severity
        self._default_severity = severity_fields(DEFAULT_SEVERITY)
        self._span = overlay.span
        if overlay.span is not None:
            self._finder = SpanFinder(overlay.span, self._reader, start_span)
            self._namer = SpanNamer(overlay.span.name, name, self._reader)

    def map(self, event: RedactedEvent) -> Mapped:
        """Return the event's records, serialized, without tag and length."""
        uid = self._uids.make(event.observed_ns)
        if self._span is None:
            return Mapped(self._log_record(event, uid, event.span, ()), None, False)
        context, timing = self._finder.find(event)
        failure = None
        if self._span.error is not None:
            failure = error_type(self._span.error, event, self._reader)
        extra: tuple[tuple[str, str], ...] = ()
        if failure is not None and self._adds_error_type:
            extra = ((_Frame.ERROR_TYPE, failure),)
        log_record = self._log_record(event, uid, context, extra)
        if timing is None:
            return Mapped(log_record, None, False)
        if not timing.context.sampled:
            return Mapped(log_record, None, True)
        attributes, dropped = self._span_attributes.encode(event, uid, extra)
        span = (
            span_fields(timing, self._namer.name(event), self._span.kind)
            + attributes
            + span_tail(timing.context, dropped, failed=failure is not None)
        )
        return Mapped(log_record, span, False)

    def _log_record(
        self,
        event: RedactedEvent,
        uid: str,
        context: SpanContext | None,
        extra: Sequence[tuple[str, str]],
    ) -> bytes:
        attributes, dropped = self._log_attributes.encode(event, uid, extra)
        parts = [
            fixed64_field(_TIME, event.time_ns),
            self._severity_of(event),
            self._body.write(event),
            attributes,
            varint_field(_DROPPED_ATTRIBUTES, dropped) if dropped else b"",
            b"" if context is None else _span_reference(context),
            fixed64_field(_OBSERVED, event.observed_ns),
            self._event_name,
        ]
        return b"".join(parts)

    def _severity_of(self, event: RedactedEvent) -> bytes:
        if self._severity is None:
            return self._default_severity
        value = self._reader.read(event, self._severity.property)
        text = self._severity.values.get(as_key(value))
        return self._default_severity if text is None else severity_fields(text)


class Mapper:
    """Compiles mappings; holds what the schemas of one pipeline share.

    Args:
        start_span: Gives a root span's ids to events that bring none.
        log_limits: OpenTelemetry's limits for log records.
        span_limits: The same for spans.
    """

    def __init__(
        self,
        *,
        start_span: Callable[[], SpanContext],
        log_limits: AttributeLimits,
        span_limits: AttributeLimits,
    ) -> None:
        self._start_span = start_span
        self._limits = (log_limits, span_limits)
        self._uids = UidMaker()

    def compile(self, schema: Schema, slots: Sequence[Slot]) -> SchemaMapping:
        """Return the mapping of one schema's events, given what redaction leaves."""
        return SchemaMapping(schema, slots, self._start_span, self._limits, self._uids)


def _span_reference(context: SpanContext) -> bytes:
    return (
        fixed32_field(_FLAGS, int(context.sampled))
        + bytes_field(_TRACE_ID, context.trace_id)
        + bytes_field(_SPAN_ID, context.span_id)
    )
