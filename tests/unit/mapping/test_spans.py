"""Spans of two events, beside those of the SDK's own Tracer; what names their error."""

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.trace import SpanKind

from jupyter_otel.event import Slot, Source
from jupyter_otel.mapping.limits import AttributeLimits
from jupyter_otel.mapping.mapper import Mapper
from jupyter_otel.schema import NamePart, Overlay, SpanError, SpanRule
from tests.unit.mapping.sdk_road import CHILD, MS, ROOT, RUN, RUN_SLOTS, TIME, Case, Sdk

PHASES = Overlay(
    known=True,
    span=SpanRule(
        name=(NamePart("phases of ", ("run", "id")),),
        kind="server",
        start={("phase",): "begin"},
        end={("phase",): "end"},
        key=(("run", "id"), ("part",)),
        error=SpanError(("status",), frozenset({"error"}), (("status",),)),
    ),
)
PHASE_SLOTS = tuple(
    Slot(path, None) for path in [("phase",), ("run", "id"), ("part",), ("status",)]
)


def phases(*events, span=ROOT):
    """Map events of one schema in order; each value list is one second later."""
    cases = [Case(PHASE_SLOTS, list(values), PHASES, span) for values in events]
    mapping = mapper().compile(cases[0].schema, PHASE_SLOTS)
    return [
        mapping.map(
            case.event._replace(time_ns=TIME - (len(cases) - 1 - n) * 1000 * MS)
        )
        for n, case in enumerate(cases)
    ]


def mapper():
    limits = AttributeLimits()
    return Mapper(start_span=lambda: CHILD, log_limits=limits, span_limits=limits)


@pytest.mark.parametrize("span", [ROOT, CHILD], ids=["root", "child"])
@pytest.mark.parametrize("status", ["ok", "error", None])
def test_a_start_and_an_end_are_the_span_that_the_sdk_would_make(span, status):
    end = ["end", "r1", 2, status]

    begun, ended = phases(["begin", "r1", 2, None], end, span=span)

    ours = Span.FromString(ended.span)
    request = Sdk().span_request(
        Case(PHASE_SLOTS, end, PHASES, span),
        ours,
        start_ns=TIME - 1000 * MS,
        name="phases of r1",
        kind=SpanKind.SERVER,
    )
    assert begun.span is None
    assert ours == request.resource_spans[0].scope_spans[0].spans[0]


def test_all_events_of_a_span_carry_its_ids():
    mapped = phases(
        ["begin", "r1", 2, None],
        ["between", "r1", 2, None],
        ["end", "r1", 2, "ok"],
        span=None,
    )

    records = [LogRecord.FromString(each.log_record) for each in mapped]

    assert [(record.trace_id, record.span_id) for record in records] == [
        (CHILD.trace_id, CHILD.span_id)
    ] * 3


@pytest.mark.parametrize(
    "end", [["end", "r2", 2, "ok"], ["end", "r1", 3, "ok"], ["end", "r1", None, "ok"]]
)
def test_an_end_with_another_key_ends_nothing(end):
    _, ended = phases(["begin", "r1", 2, None], end)

    assert ended.span is None


def test_events_whose_key_was_redacted_away_are_not_taken_for_one_span():
    mapped = phases(["begin", None, 2, None], ["end", None, 2, "ok"])

    assert [each.span for each in mapped] == [None, None]


@pytest.mark.parametrize(
    ("begun", "ended"),
    [(1, "1"), (True, "true"), (True, 1), ([1], "[1]"), ({"a": 1}, '{"a":1}')],
)
def test_values_that_only_look_alike_are_two_keys(begun, ended):
    mapped = phases(["begin", "r1", begun, None], ["end", "r1", ended, "ok"])

    assert [each.span for each in mapped] == [None, None]


@pytest.mark.parametrize("part", [[1, "a"], {"a": None}, 1.0, True])
def test_a_key_may_be_of_any_kind(part):
    _, ended = phases(["begin", "r1", part, None], ["end", "r1", part, "ok"])

    assert ended.span is not None


@pytest.mark.parametrize(
    "other",
    [{"user": ("user.hash", "bob")}, {"user": None}, {"source": Source.BROWSER}],
)
def test_nobody_ends_anothers_span(other):
    case = Case(PHASE_SLOTS, ["begin", "r1", 2, None], PHASES)
    end = case._replace(values=["end", "r1", 2, "ok"])
    mapping = mapper().compile(case.schema, PHASE_SLOTS)
    begun = mapping.map(case.event)

    theirs = mapping.map(end._replace(**other).event)
    own = mapping.map(end.event)

    assert (begun.span, theirs.span) == (None, None)
    assert own.span is not None


def test_a_mark_is_not_met_by_what_python_takes_for_it():
    rule = SpanRule(start={("on",): 1}, end={("on",): 0}, key=(("run",),))
    slots = (Slot(("on",), None), Slot(("run",), None))
    case = Case(slots, [True, "r1"], Overlay(span=rule))
    mapping = mapper().compile(case.schema, slots)

    mapping.map(case.event)

    assert mapping.map(case._replace(values=[0, "r1"]).event).span is None


@pytest.mark.parametrize(
    ("name", "error_type"), [("NameError", "NameError"), (None, "gone")]
)
def test_an_overlay_may_export_a_property_as_error_type(name, error_type):
    slots = tuple(
        slot._replace(attribute="error.type") if slot.path == ("name",) else slot
        for slot in RUN_SLOTS
    )
    case = Case(slots, ["cell", "gone", name, 1], RUN)

    span = Span.FromString(mapper().compile(case.schema, slots).map(case.event).span)

    attributes = {pair.key: pair.value.string_value for pair in span.attributes}
    assert attributes["error.type"] == error_type
    assert len(attributes) == len(span.attributes)


def test_what_moves_a_cursor_does_not_reach_the_body():
    case = Case(RUN_SLOTS, ["\x1b[2Ja\r\n\tb\u202e\0c", None, None, None])

    record = mapper().compile(case.schema, case.slots).map(case.event).log_record

    body = LogRecord.FromString(record).body.string_value
    assert body == "org.example.tool.run kind=[2Ja b c"


REQUEST = Overlay(
    known=True,
    span=SpanRule(
        name=(NamePart("", ("method",)), NamePart(" ", ("handler",))),
        duration_ms=("ms",),
    ),
)


@pytest.mark.parametrize(
    ("attribute", "method", "named"),
    [
        ("http.request.method", "PUT", "PUT _OTHER"),
        ("http.request.method", "_OTHER", "HTTP _OTHER"),
        (None, "_OTHER", "_OTHER _OTHER"),
    ],
)
def test_an_http_method_that_is_none_reads_http_in_a_spans_name(
    attribute, method, named
):
    slots = (
        Slot(("method",), attribute),
        Slot(("handler",), None),
        Slot(("ms",), None),
    )
    case = Case(slots, [method, "_OTHER", 1], REQUEST)

    mapped = mapper().compile(case.schema, slots).map(case.event)

    assert Span.FromString(mapped.span).name == named
