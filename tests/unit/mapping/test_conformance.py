"""Our records beside those of the SDK's own Logger, Tracer and encoders.

The same event goes both roads; the parsed messages must be equal, attributes in the
same order.
"""

import json
import logging
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind

from jupyter_otel.event import Slot, Source, Trust
from jupyter_otel.mapping.limits import attribute_limits
from jupyter_otel.mapping.mapper import Mapper
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.mapping.resource import resource_bytes, scope_bytes
from tests.unit.mapping.sdk_road import (
    CHILD,
    MS,
    ROOT,
    RUN,
    RUN_SLOTS,
    TIME,
    Case,
    Sdk,
    clean,
    one,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::opentelemetry.sdk._logs.LogRecordDroppedAttributesWarning"
)


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


def test_what_collides_and_what_a_limit_cuts_are_counted_together(monkeypatch):
    monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "9")
    slots = tuple(Slot((name,), "one") for name in "abc") + (Slot(("d",), None),) * 2
    case = Case(slots, [1, 2, 3, 4, 5])

    assert_same_log(case)
    assert our_log(case).dropped_attributes_count == 4


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
