"""The W3C ``traceparent`` of a cell, read and written without OpenTelemetry.

Its import costs more than all else that a kernel does for us, and many never need it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

# Versions to come may append fields, version 00 may not (W3C Trace Context, 4.3).
# Compiled at its first use, which most kernels never see.
_TRACEPARENT = (
    r"(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
    r"(-.*)?"
)


def first_valid(*headers: object) -> str:
    """Return the first header that names a span, as version 00; empty: none does.

    Args:
        headers: As they came, whatever they are.
    """
    for header in headers:
        fields = _fields_of(header)
        if fields:
            return f"00-{fields}"
    return ""


def _fields_of(header: object) -> str:
    if not isinstance(header, str):
        return ""
    found = re.fullmatch(_TRACEPARENT, header, re.ASCII)
    if found is None:
        return ""
    version, fields, more = found.groups()
    return "" if more is not None and version == "00" else str(fields)


def traceparent_of(context: SpanContext) -> str:
    """Return the header that names a span."""
    trace_id, span_id = context.trace_id, context.span_id
    return f"00-{trace_id:032x}-{span_id:016x}-{context.trace_flags:02x}"
