"""What sources need of tracing; a host gives it to them."""

from collections.abc import Mapping
from typing import Protocol

from jupyter_otel.event import SpanContext


class Spans(Protocol):
    """Makes spans below what somebody names, and carries their context over."""

    def read_parent(self, carrier: Mapping[str, str]) -> SpanContext | None:
        """Return the span that the client says it is in, if it says so."""

    def start(self, parent: SpanContext | None, name: str) -> SpanContext:
        """Return a new span below it, or a new root."""

    def headers(self, span: SpanContext) -> Mapping[str, str]:
        """Return what tells the kernel of it."""
