"""The span of each request that is being answered, for whatever happens inside it.

A span is begun when somebody first asks for it, at most once a request: most requests
need none before their end. Nothing is kept of a request that is gone.
"""

from typing import Any
from weakref import WeakKeyDictionary

from jupyter_otel.event import SpanContext
from jupyter_otel.sources.request_log import class_of, method_of
from jupyter_otel.sources.spans import Spans


class RequestSpans:
    """The spans of one server's requests. Safe in any thread."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        # By the request, whose class is tornado's own: a handler's may define equality.
        self._begun: WeakKeyDictionary[Any, SpanContext] = WeakKeyDictionary()

    def of(self, handler: Any) -> SpanContext:
        """Return the span of the request that a handler answers."""
        # Two threads may begin one at once: the first one's is everybody's.
        return self.begun(handler) or self._begun.setdefault(
            handler.request, self._begin(handler)
        )

    def begun(self, handler: Any) -> SpanContext | None:
        """Return the request's span if anybody asked for it."""
        return self._begun.get(handler.request)

    def _begin(self, handler: Any) -> SpanContext:
        parent = self._spans.read_parent(handler.request.headers)
        return self._spans.start(parent, f"{method_of(handler)} {class_of(handler)}")
