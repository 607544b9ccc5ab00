import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from jupyter_otel.event import (
    Provenance,
    RedactedEvent,
    Slot,
    Source,
    SpanContext,
    Trust,
)
from jupyter_otel.mapping.limits import AttributeLimits, attribute_limits
from jupyter_otel.mapping.mapper import Mapper
from jupyter_otel.schema import (
    NamePart,
    Node,
    Overlay,
    Schema,
    SeverityRule,
    SpanError,
    SpanRule,
)

CONTEXT = SpanContext(b"t" * 16, b"s" * 8)
ROOT = SpanContext(b"r" * 16, b"o" * 8)
FIRST = 6  # name, id, version, source, trust, uid


class Mapping:
    """One schema's mapping with slots for the given dotted names."""

    def __init__(self, *names, max_count=128, max_characters=None, **overlay):
        self.schema = Schema(
            "https://example.org/t/v1", "1", None, "", {}, Node(), Overlay(**overlay)
        )
        limits = AttributeLimits(max_count, max_characters)
        mapper = Mapper(start_span=lambda: ROOT, log_limits=limits, span_limits=limits)
        slots = [
            name if isinstance(name, Slot) else Slot(tuple(name.split(".")), None)
            for name in names
        ]
        self._mapping = mapper.compile(self.schema, slots)

    def map(self, *values, span=None, time_ns=10**18, user=None):
        """Map an event with these values in its slots."""
        event = RedactedEvent(
            provenance=Provenance(Source.APP, Trust.SERVER, user),
            values=list(values),
            time_ns=time_ns,
            observed_ns=time_ns + 1,
            span=span,
        )
        return self._mapping.map(event)

    def log_record(self, *values, **facts):
        """Return the event's log record, read back."""
        return LogRecord.FromString(self.map(*values, **facts).log_record)

    def span(self, *values, **facts):
        """Return the event's span, read back."""
        return Span.FromString(self.map(*values, **facts).span)


def payload(record):
    return [(pair.key, pair.value.WhichOneof("value")) for pair in record.attributes][
        FIRST:
    ]


def test_schema_and_origin_come_before_the_payload():
    record = Mapping("a").log_record("x", user=("user.hash", "h"))

    found = {pair.key: pair.value.string_value for pair in record.attributes}
    uid = found.pop("log.record.uid")
    assert len(uid) == 26
    assert found == {
        "otel.event.name": "org.example.t",
        "jupyter.schema.id": "https://example.org/t/v1",
        "jupyter.schema.version": "1",
        "jupyter.source": "app",
        "jupyter.trust": "server",
        "user.hash": "h",
        "jupyter.event.a": "x",
    }
    assert record.event_name == "org.example.t"
    assert (record.time_unix_nano, record.observed_time_unix_nano) == (
        10**18,
        10**18 + 1,
    )


def test_what_is_missing_is_left_out():
    assert payload(Mapping("a", "b.c").log_record(None, 1)) == [
        ("jupyter.event.b.c", "int_value")
    ]


RIVALS = ("a.b", Slot(("a.b",), None), Slot(("z",), "jupyter.event.a.b"))


@pytest.mark.parametrize(
    ("values", "kept", "dropped"),
    [
        (("first", "second", "third"), "first", 2),
        ((None, "second", "third"), "second", 1),
        ((None, None, "third"), "third", 0),
    ],
)
def test_the_first_declared_that_is_there_wins_a_name_and_the_rest_is_counted(
    values, kept, dropped
):
    record = Mapping(*RIVALS).log_record(*values)

    assert payload(record) == [("jupyter.event.a.b", "string_value")]
    assert record.attributes[FIRST].value.string_value == kept
    assert record.dropped_attributes_count == dropped
    assert record.body.string_value.endswith(f"={kept}")


def test_nothing_takes_a_name_of_the_pipelines_own():
    standard = Slot(("z",), "user.hash")

    record = Mapping("a", standard).log_record("first", "second")

    assert payload(record) == [("jupyter.event.a", "string_value")]
    assert record.dropped_attributes_count == 1


def test_the_count_limit_cuts_payload_first():
    mapping = Mapping("a", "b", "c", max_count=FIRST + 1)

    record = mapping.log_record("1", "2", "3")

    assert payload(record) == [("jupyter.event.a", "string_value")]
    assert record.dropped_attributes_count == 2


def test_a_cut_record_has_no_values_in_its_body():
    mapping = Mapping("a", "b", max_count=FIRST + 1)

    bodies = [mapping.log_record("1", value).body.string_value for value in ("2", None)]

    assert bodies == ["org.example.t", "org.example.t a=1"]


def test_a_limit_of_none_at_all_leaves_no_attribute():
    record = Mapping("a", max_count=0).log_record("1")

    assert list(record.attributes) == []
    assert record.dropped_attributes_count == FIRST + 1


def test_the_length_limit_holds_for_the_body_too():
    record = Mapping("a", max_characters=4).log_record("secretive")

    assert record.attributes[FIRST].value.string_value == "secr"
    assert record.body.string_value == "org.example.t a=sec…"


def test_the_body_is_one_line_of_the_first_scalars():
    mapping = Mapping("a", "o.b", "list", "c", "d")

    record = mapping.log_record("two\nlines", True, [1], 1.5, "no room")

    assert record.body.string_value == "org.example.t a=two lines b=true c=1.5"


def test_severity_follows_the_overlays_rule():
    rule = SeverityRule(("status",), {"error": "ERROR", "true": "WARN2", "404": "WARN"})
    mapping = Mapping("status", severity=rule)

    found = [
        (record.severity_number, record.severity_text)
        for record in map(mapping.log_record, ("error", "ok", True, 404, None))
    ]

    assert found == [
        (17, "ERROR"),
        (9, "INFO"),
        (14, "WARN2"),
        (13, "WARN"),
        (9, "INFO"),
    ]


def test_a_record_inside_a_span_carries_its_ids():
    record = Mapping("a").log_record("x", span=CONTEXT)

    assert (record.trace_id, record.span_id, record.flags) == (b"t" * 16, b"s" * 8, 1)


def test_an_event_with_a_duration_is_a_span_that_ends_with_it():
    rule = SpanRule(name=(NamePart("do ", ("a",)),), kind="client", duration_ms=("ms",))
    mapping = Mapping("a", "ms", span=rule)
    child = CONTEXT._replace(parent_span_id=b"p" * 8)

    span = mapping.span("x", 2.5, span=child)

    assert (span.trace_id, span.span_id) == (b"t" * 16, b"s" * 8)
    assert span.parent_span_id == b"p" * 8
    assert (span.name, span.kind) == ("do x", Span.SPAN_KIND_CLIENT)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 2_500_000
    assert span.end_time_unix_nano == 10**18
    assert span.status.code == 0


@pytest.mark.parametrize("duration", [True, "5", [5], -1, float("nan")])
def test_what_is_no_length_of_time_makes_no_span(duration):
    mapping = Mapping("ms", span=SpanRule(duration_ms=("ms",)))

    assert mapping.map(duration).span is None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("x" * 200, "do " + "x" * 125),
        (5.0, "do 5"),
        (["x"], "do"),
        ({"x": 1}, "do"),
    ],
)
def test_a_name_is_short_and_made_of_scalars(value, name):
    rule = SpanRule(name=(NamePart("do ", ("a",)),), duration_ms=("ms",))

    assert Mapping("a", "ms", span=rule).span(value, 1).name == name


def test_an_event_without_its_duration_is_no_span():
    mapping = Mapping("ms", span=SpanRule(duration_ms=("ms",)))

    assert mapping.map(None, span=CONTEXT).span is None
    assert mapping.map(-1, span=CONTEXT).span is None


def test_an_event_that_brings_no_ids_gets_a_root_span():
    mapping = Mapping("ms", span=SpanRule(duration_ms=("ms",)))

    mapped = mapping.map(1)

    assert Span.FromString(mapped.span).trace_id == b"r" * 16
    assert LogRecord.FromString(mapped.log_record).trace_id == b"r" * 16


def test_a_span_has_the_attributes_of_its_record():
    mapped = Mapping("a", "ms", span=SpanRule(duration_ms=("ms",))).map("x", 1)

    span, record = Span.FromString(mapped.span), LogRecord.FromString(mapped.log_record)

    assert list(span.attributes) == list(record.attributes)


def test_the_sampler_drops_the_span_and_never_the_record():
    mapping = Mapping("ms", span=SpanRule(duration_ms=("ms",)))

    mapped = mapping.map(1, span=CONTEXT._replace(sampled=False))

    assert (mapped.span, mapped.unsampled) == (None, True)
    record = LogRecord.FromString(mapped.log_record)
    assert (record.trace_id, record.flags) == (b"t" * 16, 0)


FAILS = SpanError(("status",), frozenset({"error", "lost"}), (("name",), ("status",)))


@pytest.mark.parametrize(
    ("status", "name", "error_type"),
    [
        ("ok", None, None),
        ("error", "KeyError", "KeyError"),
        ("lost", None, "lost"),
        (None, "KeyError", None),
        (["error"], "KeyError", None),
        ("error", {"class": "KeyError"}, "error"),
        ("error", 404.0, "404"),
        ("error", "", "error"),
    ],
)
def test_a_failure_has_a_status_and_a_type_on_span_and_record(status, name, error_type):
    rule = SpanRule(duration_ms=("ms",), error=FAILS)
    mapped = Mapping("status", "name", "ms", span=rule).map(status, name, 1)

    span, record = Span.FromString(mapped.span), LogRecord.FromString(mapped.log_record)

    assert span.status.code == (0 if error_type is None else 2)
    for attributes in (span.attributes, record.attributes):
        found = {pair.key: pair.value.string_value for pair in attributes}
        assert found.get("error.type") == error_type


PAIRED = SpanRule(start={("phase",): "begin"}, end={("phase",): "end"}, key=(("run",),))


def test_a_start_and_an_end_with_one_key_make_a_span():
    mapping = Mapping("phase", "run", span=PAIRED)

    begun = mapping.map("begin", "r1", span=CONTEXT, time_ns=10**18)
    within = mapping.log_record("more", "r1", time_ns=10**18 + 2)
    other = mapping.map("end", "r2", time_ns=10**18 + 3)
    ended = mapping.map("end", "r1", time_ns=10**18 + 5)

    assert (begun.span, other.span) == (None, None)
    assert within.span_id == b"s" * 8
    span = Span.FromString(ended.span)
    assert span.span_id == b"s" * 8
    assert span.end_time_unix_nano - span.start_time_unix_nano == 5


def test_spans_that_never_end_are_forgotten_in_the_end():
    mapping = Mapping("phase", "run", span=PAIRED)
    for number in range(10_001):
        mapping.map("begin", number)

    assert mapping.map("end", 0).span is None
    assert mapping.map("end", 1).span is not None


def test_a_name_without_any_of_its_properties_is_the_events():
    rule = SpanRule(name=(NamePart("", ("a",)),), duration_ms=("ms",))

    assert Mapping("a", "ms", span=rule).span(None, 1).name == "org.example.t"


def test_limits_come_from_the_variable_of_the_kind_then_the_general_one():
    warnings = []
    environ = {
        "OTEL_ATTRIBUTE_COUNT_LIMIT": "9",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": "5",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "no",
    }

    logs = attribute_limits("LOGRECORD", warnings, environ)
    spans = attribute_limits("SPAN", warnings, environ)

    assert (logs, spans) == (AttributeLimits(5, None), AttributeLimits(9, None))
    (warning,) = warnings
    assert warning == (
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT must be a whole number from 0, "
        "got 'no'. Ignored."
    )
