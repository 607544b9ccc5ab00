import pytest
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, TraceFlags

from jupyter_otel_kernel.current_span import RemoteSpan
from jupyter_otel_kernel.trace_parent import first_valid, traceparent_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-01", 1),
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"cc-{TRACE}-{SPAN}-03", 3),
        (f"cc-{TRACE}-{SPAN}-01-what-will-be", 1),
    ],
)
def test_a_valid_header_names_a_remote_span(header, flags):
    expected = SpanContext(int(TRACE, 16), int(SPAN, 16), True, TraceFlags(flags))
    assert RemoteSpan(header).get_span_context() == expected
    assert first_valid(header) == f"00-{TRACE}-{SPAN}-0{flags}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        7,
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
    ],
)
def test_anything_else_names_none_and_the_next_header_counts(header):
    default = f"00-{TRACE}-{SPAN}-01"
    named, meant = RemoteSpan(header), RemoteSpan(header, default)
    assert named.get_span_context() == INVALID_SPAN_CONTEXT
    assert meant.get_span_context() == RemoteSpan(default).get_span_context()
    assert (first_valid(header), first_valid(header, default)) == ("", default)


def test_a_header_is_written_as_it_was_read():
    header = f"00-{TRACE}-{SPAN}-01"
    assert traceparent_of(RemoteSpan(header).get_span_context()) == header
