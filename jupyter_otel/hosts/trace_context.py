"""The spans of executions and requests, made and carried over by ``tracing/``."""

from collections.abc import Mapping

from jupyter_otel.event import SpanContext
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.tracing.propagation import read_parent, write_headers
from jupyter_otel.tracing.spans import SpanStarter


class TraceContext:
    """A host's tracing as `sources.spans.Spans`.

    Args:
        spans: Makes spans, sampled or not.
        tells_kernel: Whether kernels learn which span they run in.
    """

    def __init__(self, spans: SpanStarter, *, tells_kernel: bool) -> None:
        self._spans = spans
        self._tells_kernel = tells_kernel

    def read_parent(self, carrier: Mapping[str, str]) -> SpanContext | None:
        """Return the span that the client says it is in, if it says so."""
        return read_parent(carrier)

    def start(self, parent: SpanContext | None, name: str) -> SpanContext:
        """Return a new span below it, or a new root."""
        return self._spans.start(parent, name)

    def headers(self, span: SpanContext) -> Mapping[str, str]:
        """Return what tells the kernel of it; nothing, if kernels are not told."""
        return write_headers(span) if self._tells_kernel else {}


def execution_spans(telemetry: Telemetry) -> TraceContext | None:
    """Return what makes executions spans; None where there is no tracing."""
    traces = telemetry.settings.traces
    if not traces.enabled:
        return None
    return TraceContext(telemetry.spans, tells_kernel=traces.kernel != "off")
