"""Our records beside those of the SDK's own Logger, Tracer and encoders.

The same event goes through our mapper and, as plain attributes, through the SDK; the
parsed messages must be equal, attributes in the same order. Two things are taken from
ours: the uid, which is random, and the body, whose words are free.

The SDK drops the *oldest* attribute over a limit, ours the last: the SDK gets them in
reverse.
"""

import json
import logging
import math
import re
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord as SdkLogRecord
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode

from jupyter_otel._version import __version__
from jupyter_otel.event import RedactedEvent, Slot, Source, SpanContext, Trust
from jupyter_otel.mapping.limits import attribute_limits
from jupyter_otel.mapping.mapper import Mapper
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.mapping.resource import resource_bytes, scope_bytes
from jupyter_otel.schema import Node, Overlay, Schema, SeverityRule, SpanError, SpanRule
from jupyter_otel.tracing.propagation import as_context

pytestmark = pytest.mark.filterwarnings(
    "ignore::opentelemetry.sdk._logs.LogRecordDroppedAttributesWarning"
)

TIME = 1_700_000_000_123_456_789
MS = 1_000_000
NO_RESOURCE = Resource.get_empty()
CHILD = SpanContext(bytes(range(1, 17)), bytes(range(1, 9)), bytes(range(2, 10)))
ROOT = CHILD._replace(parent_span_id=b"")
RUN = Overlay(
    known=True,
    severity=SeverityRule(("status",), {"error": "ERROR", "slow": "WARN2"}),
    span=SpanRule(
        name="run {kind}",
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
            self.schema,
            self.values,
            self.user,
            TIME,
            TIME + 7,
            self.source,
            self.trust,
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
        "log.record.uid": texts.get("log.record.uid", ""),
        "user.hash": None,
        "user.name": None,
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
    return clean(str(case.value("status") if name is None else name))


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


# ----------------------------------------------------------------------- our road


def mapper():
    warnings = []
    ours = Mapper(
        start_span=lambda: ROOT,
        log_limits=attribute_limits("LOGRECORD", warnings),
        span_limits=attribute_limits("SPAN", warnings),
    )
    assert warnings == []
    return ours


def our_log(case):
    return LogRecord.FromString(map_event(case).log_record)


def map_event(case):
    return mapper().compile(case.schema, case.slots).map(case.event)


def assert_same_log(case, sdk=None):
    ours = our_log(case)
    request = (sdk or Sdk()).log_request(case, ours)

    assert ours == request.resource_logs[0].scope_logs[0].log_records[0]
    assert ours.body.string_value.startswith("org.example.tool.run")


def assert_same_span(case, sdk=None, *, duration_ms, name):
    mapped = map_event(case)
    ours = Span.FromString(mapped.span)
    start_ns = TIME - int(duration_ms * MS)
    request = (sdk or Sdk()).span_request(
        case, ours, start_ns=start_ns, name=name, kind=SpanKind.CLIENT
    )

    assert ours == request.resource_spans[0].scope_spans[0].spans[0]


# -------------------------------------------------------------------------- cases

VALUES = {
    "text": "run",
    "empty text": "",
    "non-ASCII": "Übergröße ノート",
    "astral": "🚀👩‍👩‍👧",
    "lone surrogate": "a\ud800b\udfff",
    "surrogate pair": "\ud83d\ude80",
    "NUL": "a\0b\x1f\x7f",
    "long text": "ä" * 100_000,
    "true": True,
    "false": False,
    "zero": 0,
    "negative": -1,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "too large": 2**63,
    "too small": -(2**63) - 1,
    "unsigned": 2**64,
    "float": 0.1,
    "whole float": 1.0,
    "minus zero": -0.0,
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "null": None,
    "empty array": [],
    "texts": ["a", "", "é\ud800"],
    "booleans": [True, False],
    "integers": [1, -1, 2**63 - 1],
    "floats": [0.5, -0.0],
    "numbers": [1, 0.5],
    "integer too large in array": [1, 2**63],
    "unsigned and larger in array": [1, 2**63, 2**64],
    "NaN in array": [0.5, math.nan],
    "mixed array": [1, "a", True],
    "booleans and integers": [True, 1],
    "null in array": ["a", None],
    "nulls": [None],
    "array of arrays": [[1], [2]],
    "array of objects": [{"a": 1}, {"b": [None]}],
    "empty object": {},
    "object": {"b": 1, "a": {"c": [1, "x", None, math.inf, 2**70]}},
    "object of odd text": {"\ud800": "a\ud801", "é🚀": "\0"},
    "deep": json.loads("[" * 100 + "]" * 100),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_a_value_is_encoded_as_the_sdk_would(value):
    assert_same_log(one(value))


@pytest.mark.parametrize(
    "changes",
    [
        {"span": None},
        {"span": ROOT},
        {"span": CHILD._replace(sampled=False)},
        {"user": None},
        {"user": ("user.name", "Zoë\ud800")},
        {"version": None, "package": None},
        {"source": Source.BROWSER, "trust": Trust.CLIENT},
        {"source": Source.HUB, "trust": Trust.HUB},
        {"schema_id": "https://user:w@Example.org:1/tool/events/run/v1?a=é#b"},
    ],
    ids=repr,
)
def test_a_frame_is_encoded_as_the_sdk_would(changes):
    assert_same_log(one("x", **changes))


@pytest.mark.parametrize("text", ["error", "slow", "fine", None])
def test_a_severity_rule_gives_number_and_text(text):
    assert_same_log(Case(RUN_SLOTS, ["cell", text, None, None], RUN))


def test_of_properties_that_share_a_name_the_first_wins_and_the_others_count():
    slots = tuple(
        Slot(path, attribute)
        for path, attribute in [
            (("a", "b"), None),
            (("a.b",), None),
            (("c",), "jupyter.event.a.b"),
            (("d",), "jupyter.schema.id"),
            (("e",), "user.name"),
            (("f",), "user.name"),
            (("g",), None),
        ]
    )
    case = Case(slots, [1, 2, 3, 4, "root", None, 7])

    assert_same_log(case)
    assert our_log(case).dropped_attributes_count == 4


STATUSES = st.sampled_from(["ok", "error", "gone", None])


@pytest.mark.parametrize("span", [None, ROOT, CHILD], ids=["new", "root", "child"])
@pytest.mark.parametrize(
    "values",
    [
        ["cell", "ok", None, 5],
        ["cell", "error", "NameError", 0.25],
        ["cell", "gone", None, 0],
        ["c\ud800", "gone", 3, 1e6],
    ],
    ids=repr,
)
def test_an_event_with_a_duration_is_the_span_that_the_sdk_would_make(span, values):
    name = f"run {clean(values[0])}"

    assert_same_span(
        Case(RUN_SLOTS, values, RUN, span), duration_ms=values[3], name=name
    )


@pytest.mark.parametrize("duration_ms", [1e308, math.inf, 10**400])
def test_no_span_starts_before_the_epoch(duration_ms):
    case = Case(RUN_SLOTS, ["cell", "ok", None, duration_ms], RUN)

    span = Span.FromString(map_event(case).span)

    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (0, TIME)


@pytest.mark.parametrize("duration_ms", [None, -1, math.nan, "5", [5]])
def test_what_is_no_duration_makes_no_span(duration_ms):
    case = Case(RUN_SLOTS, ["cell", "ok", None, duration_ms], RUN)

    assert map_event(case).span is None


def test_an_unsampled_span_is_left_out_and_its_record_says_so():
    case = Case(RUN_SLOTS, ["cell", "ok", None, 5], RUN, CHILD._replace(sampled=False))

    assert map_event(case).span is None
    assert map_event(case).unsampled
    assert_same_log(case)


# ------------------------------------------------------------------------- limits


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 10, 11, 12, 200])
@pytest.mark.parametrize("kind", ["LOGRECORD_ATTRIBUTE", "SPAN_ATTRIBUTE", "ATTRIBUTE"])
def test_a_count_limit_cuts_the_last_and_counts_them(monkeypatch, kind, count):
    monkeypatch.setenv(f"OTEL_{kind}_COUNT_LIMIT", str(count))
    slots = (*RUN_SLOTS, *(Slot((f"p{n}",), None) for n in range(150)))
    case = Case(slots, ["cell", "error", "E", 1, *range(150)], RUN)

    assert_same_log(case)
    assert_same_span(case, duration_ms=1, name="run cell")


@pytest.mark.parametrize("length", [0, 1, 5, 40])
@pytest.mark.parametrize("kind", ["LOGRECORD_ATTRIBUTE", "SPAN_ATTRIBUTE", "ATTRIBUTE"])
def test_a_length_limit_cuts_every_text(monkeypatch, kind, length):
    monkeypatch.setenv(f"OTEL_{kind}_VALUE_LENGTH_LIMIT", str(length))
    texts = ["🚀" * 50, ["ä" * 50, ""], 2**70, math.inf, "short"]
    slots = (*RUN_SLOTS, *(Slot((f"p{n}",), None) for n in range(len(texts))))
    case = Case(slots, ["cell", "error", "E" * 50, 1, *texts], RUN)

    assert_same_log(case)
    assert_same_span(case, duration_ms=1, name="run cell")


# -------------------------------------------------------------------- any payload

TEXTS = st.text(st.characters() | st.sampled_from("\0\ud800\udc00🚀é"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | TEXTS
)
JSON = st.recursive(
    SCALARS
    | st.lists(st.integers())
    | st.lists(st.floats() | st.integers(-(2**53), 2**53))
    | st.lists(TEXTS)
    | st.lists(st.booleans()),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)
NAMES = st.sampled_from(["a", "b", "a.b", "é", "status2", ""]) | TEXTS
SLOTS = st.builds(
    Slot,
    st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    st.none() | st.sampled_from(["url.scheme", "jupyter.event.a", "user.name"]),
)
SPANS = st.sampled_from([None, ROOT, CHILD, CHILD._replace(sampled=False)])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.tuples(SLOTS, JSON), max_size=6),
    SPANS,
    st.tuples(
        NAMES, STATUSES, st.none() | TEXTS | st.integers(), st.integers(0, 10**9)
    ),
)
def test_any_event_is_mapped_as_the_sdk_would(payload, span, run):
    known = {slot.path for slot in RUN_SLOTS}
    payload = {slot.path: (slot, value) for slot, value in payload}
    rest = [pair for path, pair in payload.items() if path not in known]
    slots = (*RUN_SLOTS, *(slot for slot, _ in rest))
    case = Case(slots, [*run, *(value for _, value in rest)], RUN, span)
    sdk = Sdk()

    assert_same_log(case, sdk)
    if span is None or span.sampled:
        name = f"run {clean(run[0])}".strip()
        assert_same_span(case, sdk, duration_ms=run[3], name=name)


# ----------------------------------------------------------------- whole requests


def test_a_whole_request_has_the_sdks_resource_and_scope(monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "lab")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=data,service.instance.id=1")
    writer = RequestWriter(
        resource_bytes({}, service_name="jupyter-server"),
        {"app": scope_bytes(Source.APP)},
    )
    case = Case(RUN_SLOTS, ["cell", "error", "E", 1], RUN)
    mapped = map_event(case)
    log, span = LogRecord.FromString(mapped.log_record), Span.FromString(mapped.span)
    sdk = Sdk(Resource.create())

    logs = ExportLogsServiceRequest.FromString(writer.write("app", [mapped.log_record]))
    spans = ExportTraceServiceRequest.FromString(writer.write("app", [mapped.span]))

    assert logs == sdk.log_request(case, log)
    assert spans == sdk.span_request(
        case, span, start_ns=TIME - MS, name="run cell", kind=SpanKind.CLIENT
    )


@pytest.fixture(autouse=True)
def _quiet_sdk():
    logger = logging.getLogger("opentelemetry.attributes")
    level = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(level)
