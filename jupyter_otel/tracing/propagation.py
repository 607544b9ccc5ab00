"""A span's identity in headers and message metadata, in and out.

The propagators are those that ``OTEL_PROPAGATORS`` names. ``tracestate`` and baggage
are what an untrusted client chooses to say: they are neither read nor written.
"""

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter, TextMapPropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from jupyter_otel.event import SpanContext

_log = logging.getLogger(__name__)

_DEFAULT = "tracecontext,baggage"
_NEVER_READ = frozenset({"tracestate", "baggage"})
_MAX_LENGTH = 512
"""Characters of one header; the SDK would log each longer ``traceparent``."""


def read_parent(carrier: Mapping[str, str]) -> SpanContext | None:
    """Return the remote span that ``carrier`` names, or None if it names no valid one.

    Keys are looked up in lower case: HTTP headers come as a mapping that ignores case.
    Values that are no text are no headers.
    """
    context = Context()
    for propagator in _configured():
        context = propagator.extract(carrier, context, getter=_IDENTITY_ONLY)
    remote = trace.get_current_span(context).get_span_context()
    return _identity(remote) if remote.is_valid else None


def surrounding_span(environ: Mapping[str, str]) -> SpanContext | None:
    """Return the span that this code runs in, or None.

    It is the current one of the process's own OpenTelemetry; else the one in which
    ``TRACEPARENT`` says that the process was started (OpenTelemetry's environment
    variables as context propagation carriers).
    """
    current = trace.get_current_span().get_span_context()
    if current.is_valid:
        return _identity(current)
    stated = environ.get("TRACEPARENT")
    return None if stated is None else read_parent({"traceparent": stated})


def write_headers(span: SpanContext) -> dict[str, str]:
    """Return the headers (or metadata) that make ``span`` the receiver's parent."""
    headers: dict[str, str] = {}
    context = as_context(span)
    for propagator in _configured():
        propagator.inject(headers, context)
    return headers


def as_context(span: SpanContext) -> Context:
    """Return an OpenTelemetry context in which ``span`` is the remote parent."""
    flags = trace.TraceFlags.SAMPLED if span.sampled else trace.TraceFlags.DEFAULT
    remote = trace.SpanContext(
        trace_id=int.from_bytes(span.trace_id, "big"),
        span_id=int.from_bytes(span.span_id, "big"),
        is_remote=True,
        trace_flags=trace.TraceFlags(flags),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(remote), Context())


def _identity(span: trace.SpanContext) -> SpanContext:
    return SpanContext(
        trace_id=span.trace_id.to_bytes(16, "big"),
        span_id=span.span_id.to_bytes(8, "big"),
        sampled=span.trace_flags.sampled,
    )


class _IdentityOnly(Getter[Mapping[str, str]]):
    """Shows propagators the headers that may say which span is the parent."""

    def get(self, carrier: Mapping[str, str], key: str) -> list[str] | None:
        value: object = None if key in _NEVER_READ else carrier.get(key)
        if not isinstance(value, str) or len(value) > _MAX_LENGTH:
            return None
        return [value]

    def keys(self, carrier: Mapping[str, str]) -> list[str]:
        return [key for key in carrier if key not in _NEVER_READ]


_IDENTITY_ONLY = _IdentityOnly()


def _configured() -> tuple[TextMapPropagator, ...]:
    return _propagators(os.environ.get("OTEL_PROPAGATORS") or _DEFAULT)


@lru_cache(maxsize=8)
def _propagators(setting: str) -> tuple[TextMapPropagator, ...]:
    """Return what ``OTEL_PROPAGATORS`` names, without baggage and what is unknown.

    `opentelemetry.propagate` cannot be asked: an unknown name makes its import fail.
    """
    names = list(dict.fromkeys(name.strip() for name in setting.split(",")))
    if "none" in names:
        return ()
    found = [_load(name) for name in names if name not in ("", "baggage")]
    return tuple(propagator for propagator in found if propagator is not None)


def _load(name: str) -> TextMapPropagator | None:
    if name == "tracecontext":  # by far the most frequent; no look at the disk
        return TraceContextTextMapPropagator()
    for entry in entry_points(group="opentelemetry_propagator", name=name):
        try:
            propagator: TextMapPropagator = entry.load()()
        except (ImportError, AttributeError, TypeError):
            continue
        return propagator
    _log.warning("OTEL_PROPAGATORS names %r, not usable here: ignored.", name)
    return None
