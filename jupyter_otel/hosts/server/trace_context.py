"""The spans of executions and requests, made and carried over by ``tracing/``."""

import threading
from collections.abc import Mapping

from jupyter_otel.event import SpanContext
from jupyter_otel.tracing.propagation import read_parent, write_headers
from jupyter_otel.tracing.spans import SpanStarter


def prepare_spans(starter: SpanStarter) -> None:
    """Import the SDK beside the start and before the first span: it is slow."""
    threading.Thread(
        target=starter.prepare, name="jupyter_otel-sdk", daemon=True
    ).start()


class TraceContext:
    """What `sources.kernel_messages` needs of tracing.

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
