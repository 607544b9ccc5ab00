"""The W3C ``traceparent`` of a cell, read without OpenTelemetry's propagators.

Those look for entry points, which costs more than all else that loading does.
"""

from __future__ import annotations

import re

from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
)

# Versions to come may append fields, version 00 may not (W3C Trace Context, 4.3).
# Compiled at its first use, which most kernels never see.
_TRACEPARENT = (
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    r"(-.*)?"
)


class RemoteSpan(NonRecordingSpan):
    """The span that a header names, which is read when somebody asks for it.

    Most cells ask for none, and reading costs more than all else that is done for one.

    Args:
        traceparent: A header as it came; not valid, it names no span.
        default: The span that is meant then.
    """

    _read: SpanContext | None = None

    def __init__(self, traceparent: object, default: RemoteSpan | None = None) -> None:
        self._traceparent = traceparent
        self._default = default

    def get_span_context(self) -> SpanContext:
        """Return its context, an invalid one if no span is named."""
        if self._read is None:
            self._read = _context_of(self._traceparent)
            if self._default is not None and not self._read.is_valid:
                self._read = self._default.get_span_context()
        return self._read

    def __repr__(self) -> str:
        return f"RemoteSpan({self.get_span_context()!r})"


def _context_of(traceparent: object) -> SpanContext:
    if not isinstance(traceparent, str):
        return INVALID_SPAN_CONTEXT
    found = re.fullmatch(_TRACEPARENT, traceparent, re.ASCII)
    if found is None:
        return INVALID_SPAN_CONTEXT
    version, trace_id, span_id, flags, more = found.groups()
    if more is not None and version == "00":
        return INVALID_SPAN_CONTEXT
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16))
    )


def traceparent_of(context: SpanContext) -> str:
    """Return the header that names a span."""
    trace_id, span_id = context.trace_id, context.span_id
    return f"00-{trace_id:032x}-{span_id:016x}-{context.trace_flags:02x}"
