import gc
import threading

import pytest

from jupyter_otel.event import SpanContext
from jupyter_otel.hosts.trace_context import TraceContext
from jupyter_otel.sources.request_spans import RequestSpans
from jupyter_otel.tracing.spans import SpanStarter
from tests.unit.sources.requests import ThingHandler, handler_of

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def spans():
    return RequestSpans(TraceContext(SpanStarter(), tells_kernel=False))


def test_a_request_has_one_span_and_another_request_another(spans):
    one, other = handler_of(), handler_of()

    assert spans.begun(one) is None
    assert spans.of(one) is spans.of(one) is spans.begun(one)
    assert spans.of(one).span_id != spans.of(other).span_id
    assert spans.of(one).parent_span_id == b""


@pytest.mark.parametrize("sampled", [True, False])
def test_a_request_is_a_child_of_the_span_that_its_client_is_in(spans, sampled):
    header = f"00-{TRACE}-{PARENT}-0{int(sampled)}"

    span = spans.of(handler_of(traceparent=header, tracestate="vendor=secret"))

    assert span == SpanContext(
        trace_id=bytes.fromhex(TRACE),
        span_id=span.span_id,
        parent_span_id=bytes.fromhex(PARENT),
        sampled=sampled,
    )


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        f"00-{TRACE}-{PARENT}",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
        "\udcff\x00",
        f"00-{TRACE}-{PARENT}-01" * 5000,
    ],
)
def test_a_header_that_names_no_span_begins_a_trace(spans, header):
    span = spans.of(handler_of(traceparent=header))

    assert span.parent_span_id == b""
    assert span.trace_id != bytes.fromhex(TRACE)


def test_threads_that_ask_at_once_get_the_same_span(spans):
    handler, start, got = handler_of(), threading.Barrier(8), []

    def ask():
        start.wait()
        got.append(spans.of(handler))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(got) == {spans.begun(handler)}


class EqualHandler(ThingHandler):
    """A handler that takes itself for any other, and cannot be hashed."""

    __hash__ = None

    def __eq__(self, other):
        """Say yes."""
        return True


def test_handlers_that_are_equal_have_spans_of_their_own(spans):
    assert spans.of(handler_of(EqualHandler)) != spans.of(handler_of(EqualHandler))


def test_nothing_is_kept_of_a_request_that_is_gone(spans):
    handler = handler_of()
    spans.of(handler)

    del handler
    gc.collect()

    assert len(spans._begun) == 0
