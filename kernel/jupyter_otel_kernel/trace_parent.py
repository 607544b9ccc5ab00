"""The W3C ``traceparent`` of a cell, read without OpenTelemetry's propagators.

Those look for entry points, which costs more than all else that loading does.
"""

from __future__ import annotations

import re

from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags

# Versions to come may append fields, version 00 may not (W3C Trace Context, 4.3).
_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(-.*)?",
    re.ASCII,
)


def span_of(traceparent: object) -> Span | None:
    """Return the remote span that a header names; None unless it is a valid one."""
    if not isinstance(traceparent, str):
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if more is not None and version == "00":
        return None
    return NonRecordingSpan(
        SpanContext(
            int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16))
        )
    )


def traceparent_of(context: SpanContext) -> str:
    """Return the header that names a span."""
    trace_id, span_id = context.trace_id, context.span_id
    return f"00-{trace_id:032x}-{span_id:016x}-{context.trace_flags:02x}"
