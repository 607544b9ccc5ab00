"""Compiles, for each schema, the mapping of its redacted events to OTLP bytes."""

import logging
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jupyter_otel.complaints import printable
from jupyter_otel.event import RedactedEvent, Slot, SpanContext, new
from jupyter_otel.mapping.attribute_set import (
    COUNT,
    ERROR_TYPE,
    AttributeNames,
    AttributeSet,
    Extras,
)
from jupyter_otel.mapping.body import BodyWriter
from jupyter_otel.mapping.limits import AttributeLimits
from jupyter_otel.mapping.names import event_name
from jupyter_otel.mapping.severity import DEFAULT_SEVERITY, severity_fields
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
    varint_field,
)
from jupyter_otel.schema import Schema, SeverityRule, SpanError, rule_text

_log = logging.getLogger("jupyter_otel")

LOG_ATTRIBUTES = 6
HTTP_METHOD = "http.request.method"
_DROPPED_ATTRIBUTES, _FLAGS, _TRACE_ID, _SPAN_ID, _EVENT_NAME = 7, 8, 9, 10, 12
_TIMES = struct.Struct("<BQBQ")
_TIME_TAG, _OBSERVED_TAG = 1 << 3 | 1, 11 << 3 | 1
"""Both times are there in every record: two fixed64 fields in one call."""


class Mapped(NamedTuple):
    """What one event became."""

    log_record: bytes
    span: bytes | None
    unsampled: bool
    """Whether it completed a span that the sampler left out."""


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
        names = AttributeNames(schema, slots, name)
        overlay, (log_limits, span_limits) = schema.overlay, limits
        paths = [slot.path for slot in slots]
        # Not asked again for every event: most schemas have none.
        self._namesakes = names.namesakes or None
        self._log_attributes = AttributeSet(LOG_ATTRIBUTES, names, log_limits)
        self._span_attributes = AttributeSet(SPAN_ATTRIBUTES, names, span_limits)
        self._error_type_places = names.error_type_places
        self._body = BodyWriter(name, paths, log_limits.max_characters)
        self._bare_body = self._body.bare()
        self._event_name = bytes_field(_EVENT_NAME, name.encode())
        self._uids = uids
        self._reader = Reader({path: place for place, path in enumerate(paths)})
        self._severity = overlay.severity
        self._info = severity_fields(DEFAULT_SEVERITY)
        self._span = overlay.span
        if overlay.span is not None:
            self._finder = SpanFinder(overlay.span, self._reader, start_span)
            method = next((s.path for s in slots if s.attribute == HTTP_METHOD), None)
            self._namer = SpanNamer(overlay.span.name, name, self._reader, method)

    def map(self, event: RedactedEvent, count: int | None = None) -> Mapped:
        """Return the event's records, serialized, without tag and length.

        ``count`` is how many events the record stands for, where it is an aggregate.
        """
        uid = self._uids.make(event.observed_ns)
        extras: Extras = () if count is None else ((COUNT, count),)
        lost = 0
        if self._namesakes is not None:
            values, lost = self._namesakes.settle(event.values)
            event = event._replace(values=values)
        if self._span is None:
            log_record = self._log_record(event, uid, event.span, extras, lost)
            return new(Mapped, (log_record, None, False))
        context, timing = self._finder.find(event)
        failure = self._failure(event, self._span.error)
        if failure is not None and not self._says_error_type(event):
            extras = (*extras, (ERROR_TYPE, failure))
        log_record = self._log_record(event, uid, context, extras, lost)
        if timing is None or not timing.context.sampled:
            return Mapped(log_record, None, timing is not None)
        attributes, cut = self._span_attributes.encode(event, uid, extras)
        span = (
            span_fields(timing, self._namer.name(event), self._span.kind),
            *attributes,
            span_tail(timing.context, cut + lost, failed=failure is not None),
        )
        return Mapped(log_record, b"".join(span), False)

    def _says_error_type(self, event: RedactedEvent) -> bool:
        values = event.values
        return any(values[place] is not None for place in self._error_type_places)

    def _failure(self, event: RedactedEvent, rule: SpanError | None) -> str | None:
        return None if rule is None else error_type(rule, event, self._reader)

    def _log_record(
        self,
        event: RedactedEvent,
        uid: bytes,
        context: SpanContext | None,
        extras: Extras,
        lost: int = 0,
    ) -> bytes:
        rule = self._severity
        pieces, cut = self._log_attributes.encode(event, uid, extras)
        pieces += (
            _TIMES.pack(_TIME_TAG, event.time_ns, _OBSERVED_TAG, event.observed_ns),
            self._info if rule is None else self._severity_of(event, rule),
            self._bare_body if cut else self._body.write(event),
            self._event_name,
        )
        if cut or lost:
            pieces.append(varint_field(_DROPPED_ATTRIBUTES, cut + lost))
        if context is not None:
            pieces.append(_span_reference(context))
        return b"".join(pieces)

    def _severity_of(self, event: RedactedEvent, rule: SeverityRule) -> bytes:
        key = rule_text(self._reader.read(event, rule.property))
        text = None if key is None else rule.values.get(key)
        return self._info if text is None else severity_fields(text)


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
        self._ids_by_name: dict[str, str] = {}

    def compile(self, schema: Schema, slots: Sequence[Slot]) -> SchemaMapping:
        """Return the mapping of one schema's events, given what redaction leaves."""
        self._warn_of_namesake(schema.id)
        return SchemaMapping(schema, slots, self._start_span, self._limits, self._uids)

    def _warn_of_namesake(self, schema_id: str) -> None:
        name = event_name(schema_id)
        first = self._ids_by_name.setdefault(name, schema_id)
        if first != schema_id:
            _log.warning(
                "Two schemas have the event name %s: %s and %s. Tell their records "
                "apart by jupyter.schema.id.",
                name,
                printable(first),
                printable(schema_id),
            )


def _span_reference(context: SpanContext) -> bytes:
    return (
        fixed32_field(_FLAGS, int(context.sampled))
        + bytes_field(_TRACE_ID, context.trace_id)
        + bytes_field(_SPAN_ID, context.span_id)
    )
