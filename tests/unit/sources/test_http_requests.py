import pytest

from jupyter_otel.event import Attribution, Person
from jupyter_otel.hosts.trace_context import TraceContext
from jupyter_otel.sources.http_requests import HTTP_REQUEST_SCHEMA, HttpRequests
from jupyter_otel.sources.request_spans import RequestSpans
from jupyter_otel.tracing.spans import SpanStarter
from tests.unit.sources.conftest import make_schema
from tests.unit.sources.requests import handler_of

ANN = Person("user:ann", "ann")


@pytest.fixture
def spans():
    return RequestSpans(TraceContext(SpanStarter(), tells_kernel=False))


@pytest.fixture
def watch(intake, spans):
    """Return a watch over requests, of which those that are HEAD are polling."""
    schema = make_schema(HTTP_REQUEST_SCHEMA)

    def is_polling(handler):
        return handler.request.method == "HEAD"

    return HttpRequests(intake, schema, lambda _handler: ANN, spans, is_polling).watch


def test_a_request_is_told_by_what_answered_it_and_by_nothing_that_was_asked(
    intake, watch, spans
):
    handler = handler_of(
        method="POST",
        uri="/user/ann/api/contents/secret.ipynb?token=abc#x",
        status=201,
        Authorization="token abc",
        Cookie="a=b",
        User_Agent="agent",
        Referer="https://example.org/secret",
    )

    watch(handler)

    [taken] = intake.taken
    assert taken.data == {
        "method": "POST",
        "handler": "ThingHandler",
        "status_code": 201,
        "duration_ms": 125.0,
        "scheme": "http",
    }
    assert taken.attribution == Attribution(person=ANN, span=spans.of(handler))


@pytest.mark.parametrize(
    ("status", "failed"),
    [(101, None), (200, None), (404, None), (499, None), (500, True), (599, True)],
)
def test_only_a_server_that_failed_has_failed(intake, watch, status, failed):
    watch(handler_of(status=status))

    assert intake.data[0].get("failed") is failed


def test_polling_is_left_out(intake, watch):
    watch(handler_of(method="HEAD"))
    watch(handler_of(method="HEAD", status=403))

    assert intake.data == []


def test_polling_is_told_where_the_server_failed_or_something_happened_inside(
    intake, watch, spans
):
    busy = handler_of(method="HEAD")
    inside = spans.of(busy)

    watch(handler_of(method="HEAD", status=503))
    watch(busy)

    statuses = [data["status_code"] for data in intake.data]
    assert statuses == [503, 200]
    assert intake.taken[1].attribution.span == inside


def test_without_traces_a_request_is_an_event_outside_any_span(intake):
    requests = HttpRequests(
        intake, make_schema(HTTP_REQUEST_SCHEMA), lambda _: ANN, None, lambda _: False
    )

    requests.watch(handler_of())

    assert intake.taken[0].attribution == Attribution(person=ANN)


def test_a_clock_that_was_set_back_and_a_scheme_of_ones_own_do_no_harm(intake, watch):
    handler = handler_of()
    handler.request._finish_time = 0.0
    handler.request.protocol = "my-secret"

    watch(handler)

    [data] = intake.data
    assert data == {
        "method": "GET",
        "handler": "ThingHandler",
        "status_code": 200,
        "duration_ms": 0.0,
    }
