"""HTTP requests that a server answered, as events and spans.

No URL, path, query, header or address is read here, but the ``traceparent`` that
`RequestSpans` asks for: what was asked for is named by the class that answered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_otel.event import Attribution, Intake, Person
from jupyter_otel.schema import Schema
from jupyter_otel.sources.request_log import class_of, method_of
from jupyter_otel.sources.request_spans import RequestSpans

HTTP_REQUEST_SCHEMA = "https://events.jupyter.org/jupyter_otel/http_request/v1"

_SERVER_FAILED = 500
_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class HttpRequests:
    """Reports the requests of one server, each when it is over."""

    intake: Intake
    schema: Schema
    person: Callable[[Any], Person | None]
    """Whose a handler's request is."""
    spans: RequestSpans | None
    """None: no trace context, neither made nor read."""
    is_polling: Callable[[Any], bool]
    """Whether a handler's request is one that front ends repeat by themselves."""

    def watch(self, handler: Any) -> None:
        """Report one request that is over."""
        if self._is_left_out(handler):
            return
        spans = self.spans
        attribution = Attribution(
            person=self.person(handler),
            span=None if spans is None else spans.of(handler),
        )
        self.intake.emit(self.schema, _describe(handler), attribution)

    def _is_left_out(self, handler: Any) -> bool:
        """Return whether nobody misses it.

        One inside which something happened is the span of that, and stays.
        """
        if handler.get_status() >= _SERVER_FAILED or not self.is_polling(handler):
            return False
        return self.spans is None or self.spans.begun(handler) is None


def _describe(handler: Any) -> dict[str, Any]:
    request, status = handler.request, handler.get_status()
    event: dict[str, Any] = {
        "method": method_of(handler),
        "handler": class_of(handler),
        "status_code": status,
        "duration_ms": round(max(request.request_time(), 0.0) * 1e3, 3),
    }
    if status >= _SERVER_FAILED:
        event["failed"] = True
    if request.protocol in _SCHEMES:
        event["scheme"] = request.protocol
    return event
