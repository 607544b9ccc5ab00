"""The SDK's road for the events of ``test_conformance.py``, and the contract plainly.

An event goes as plain attributes through the SDK's own Logger or Tracer and its
encoder. Two things are taken from our record: the uid, which is random, and the body,
whose words are free.

The SDK drops the *oldest* attribute over a limit, ours the last: the SDK gets them in
reverse.
"""

import json
import math
import re
from typing import Any, NamedTuple

from opentelemetry._logs import LogRecord as SdkLogRecord
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Status, StatusCode

from jupyter_otel._version import __version__
from jupyter_otel.event import (
    Provenance,
    RedactedEvent,
    Slot,
    Source,
    SpanContext,
    Trust,
)
from jupyter_otel.schema import (
    NamePart,
    Node,
    Overlay,
    Schema,
    SeverityRule,
    SpanError,
    SpanRule,
)
from jupyter_otel.tracing.propagation import as_context

TIME = 1_700_000_000_123_456_789
MS = 1_000_000
NO_RESOURCE = Resource.get_empty()
CHILD = SpanContext(bytes(range(1, 17)), bytes(range(1, 9)), bytes(range(2, 10)))
ROOT = CHILD._replace(parent_span_id=b"")
RUN = Overlay(
    known=True,
    severity=SeverityRule(("status",), {"error": "ERROR", "slow": "WARN2"}),
    span=SpanRule(
        name=(NamePart("run ", ("kind",)),),
        kind="client",
        duration_ms=("duration_ms",),
        error=SpanError(
            ("status",), frozenset({"error", "gone"}), (("name",), ("status",))
        ),
    ),
)
RUN_SLOTS = (
    Slot(("kind",), None),
    Slot(("status",), None),
    Slot(("name",), None),
    Slot(("duration_ms",), "example.duration"),
)


class Case(NamedTuple):
    """One event as redaction leaves it, and what its schema says."""

    slots: tuple[Slot, ...]
    values: list[Any]
    overlay: Overlay = Overlay()
    span: SpanContext | None = CHILD
    user: tuple[str, str] | None = ("user.hash", "0a1b2c3d:ff")
    version: str | None = "1"
    package: str | None = "example"
    source: Source = Source.APP
    trust: Trust = Trust.SERVER
    schema_id: str = "https://example.org/tool/run/v1"

    @property
    def schema(self):
        """The schema, as the catalog would give it."""
        return Schema(
            self.schema_id, self.version, self.package, "", {}, Node(), self.overlay
        )

    @property
    def event(self):
        """The event, as the redactor would give it."""
        return RedactedEvent(
            Provenance(self.source, self.trust, self.user),
            self.values,
            TIME,
            TIME + 7,
            self.span,
        )

    @property
    def context(self):
        """The span that the record belongs to: a new one if it completes one."""
        if self.span is None and self.value("duration_ms") is not None:
            return ROOT
        return self.span

    def value(self, name):
        """Return what stands in a property of that name."""
        places = {slot.path: place for place, slot in enumerate(self.slots)}
        return self.values[places[(name,)]] if (name,) in places else None


def one(value, **changes):
    return Case((Slot(("a",), None),), [value], **changes)


# ---------------------------------------------------------------- the SDK's road


class Sdk(LogRecordProcessor, SpanProcessor, IdGenerator):
    """A Logger and a Tracer whose output is kept, under the environment's limits."""

    def __init__(self, resource=NO_RESOURCE):
        self.context = ROOT
        self.caught = []
        loggers = LoggerProvider(resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(self)
        tracers = TracerProvider(
            ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=self
        )
        tracers.add_span_processor(self)
        self.logger = loggers.get_logger("jupyter_otel.app", __version__)
        self.tracer = tracers.get_tracer("jupyter_otel.app", __version__)

    def on_emit(self, log_record):
        """Keep a log record."""
        self.caught.append(log_record)

    def on_end(self, span):
        """Keep a span."""
        self.caught.append(span)

    def generate_trace_id(self):
        """Return the trace id of the span to be made."""
        return int.from_bytes(self.context.trace_id, "big")

    def generate_span_id(self):
        """Return the id of the span to be made."""
        return int.from_bytes(self.context.span_id, "big")

    def shutdown(self):
        """Nothing is open."""

    def force_flush(self, timeout_millis=0):
        """Nothing waits."""
        return True

    def log_request(self, case, ours):
        """Return the request of the event's log record."""
        attributes, collided = attributes_of(case, ours)
        text = case.overlay.severity and case.overlay.severity.values.get(
            str(case.value("status"))
        )
        number = SeverityNumber[text or "INFO"]
        self.logger.emit(
            SdkLogRecord(
                timestamp=TIME,
                observed_timestamp=TIME + 7,
                context=as_context(case.context) if case.context else Context(),
                severity_text=text or "INFO",
                severity_number=number,
                body=ours.body.string_value,
                attributes=dict(reversed(attributes.items())),
                event_name="org.example.tool.run",
            )
        )
        request = encode_logs([self.caught.pop()])
        correct(request.resource_logs[0].scope_logs[0].log_records[0], collided)
        return request

    def span_request(self, case, ours, *, start_ns, name, kind):
        """Return the request of the span that the event completes."""
        attributes, collided = attributes_of(case, ours)
        self.context = context = case.context
        parent = Context()
        if context.parent_span_id:
            parent = as_context(context._replace(span_id=context.parent_span_id))
        span = self.tracer.start_span(
            name,
            parent,
            kind,
            dict(reversed(attributes.items())),
            start_time=start_ns,
        )
        if "error.type" in attributes:
            span.set_status(Status(StatusCode.ERROR))
        span.end(TIME)
        request = encode_spans([self.caught.pop()])
        correct(request.resource_spans[0].scope_spans[0].spans[0], collided)
        return request


def correct(message, collided):
    """Bring the SDK's message to our order, and count what it was never given."""
    attributes = list(reversed(message.attributes))
    del message.attributes[:]
    message.attributes.extend(attributes)
    message.dropped_attributes_count += collided


# ------------------------------------------- the contract, once more and plainly


def attributes_of(case, ours):
    """Return the event's attributes in order, and how many found their name taken."""
    texts = {pair.key: pair.value.string_value for pair in ours.attributes}
    attributes = {
        "otel.event.name": "org.example.tool.run",
        "jupyter.schema.id": case.schema_id,
        "jupyter.schema.version": case.version,
        "jupyter.schema.package": case.package,
        "jupyter.source": case.source.value,
        "jupyter.trust": case.trust.value,
        "user.hash": None,
        "user.name": None,
        "log.record.uid": texts.get("log.record.uid", ""),
    }
    attributes.update([map(clean, case.user)] if case.user else [])
    taken, collided = set(attributes), 0
    for slot, value in zip(case.slots, case.values, strict=True):
        name = clean(slot.attribute or ".".join(["jupyter.event", *slot.path]))
        if value is not None and name in taken:
            collided += 1
        elif value is not None:
            attributes[name] = attribute(value, texts.get(name, ""))
            taken.add(name)
    failure = failed(case)
    if failure is not None:
        attributes["error.type"] = failure
    return {k: v for k, v in attributes.items() if v is not None}, collided


def failed(case):
    rule = case.overlay.span and case.overlay.span.error
    if not rule or case.value("status") not in ("error", "gone"):
        return None
    name = case.value("name")
    return clean(str(case.value("status") if name in (None, "") else name))


def attribute(value, ours):
    if isinstance(value, list) and len({kind(item) for item in value} or {""}) == 1:
        is_mixed = len({type(item) for item in value}) > 1
        if "other" not in {kind(item) for item in value}:
            return [float(v) if is_mixed else clean(v) for v in value]
    if isinstance(value, list | dict):
        assert json.loads(ours) == clean(value, max_integer=2**64 - 1)
        return ours
    return clean(value)


def kind(value):
    if isinstance(value, bool | str):
        return type(value)
    return "number" if isinstance(clean(value), int | float) else "other"


def clean(value, max_integer=2**63 - 1):
    """Return JSON without lone surrogates and numbers that 64 bits have no room for.

    OTLP's integers are signed; those in a JSON text need not be.
    """
    if isinstance(value, str):
        pairs = re.sub(
            "[\ud800-\udbff][\udc00-\udfff]",
            lambda pair: chr(
                0x10000
                + (ord(pair[0][0]) - 0xD800) * 0x400
                + (ord(pair[0][1]) - 0xDC00)
            ),
            value,
        )
        return re.sub("[\ud800-\udfff]", "\ufffd", pairs)
    if isinstance(value, float) and not math.isfinite(value):
        words = {math.inf: "Infinity", -math.inf: "-Infinity"}
        return words.get(value, "NaN")
    if type(value) is int and not -(2**63) <= value <= max_integer:
        return str(value)
    if isinstance(value, list):
        return [clean(item, max_integer) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item, max_integer) for key, item in value.items()}
    return value
