"""``spans`` mode: a tracer provider for people who have none.

It never becomes the global one, because OpenTelemetry takes only one of these, and a
user's own `set_tracer_provider`, late as it may come, must still be the first. Instead
it stands behind the API's proxy: tracers that are asked for while there is no global
provider use ours until there is one, then that. The API has no public place for this:
`_PROXY_TRACER_PROVIDER` and a proxy tracer's `_noop_tracer` are private. Where a
version lacks them, only the span of the cell itself is recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider

from jupyter_otel_kernel.current_span import RemoteSpan
from jupyter_otel_kernel.otlp_http import OtlpHttp
from jupyter_otel_kernel.span_queue import SpanQueue

if TYPE_CHECKING:
    from jupyter_otel_kernel.cells import Cell

_PROXY = "_PROXY_TRACER_PROVIDER"
_NOT_SET = "_noop_tracer"


class Spans:
    """A private provider, the span of each cell, and what stands behind the proxy.

    Args:
        environ: Where ``OTEL_EXPORTER_OTLP_*`` stand.

    Raises:
        ValueError: They name no receiver.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.queue = SpanQueue(OtlpHttp(environ))
        self.provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self.provider.add_span_processor(self.queue)
        self._tracer = self.provider.get_tracer("jupyter_otel_kernel")
        self._before: Any = getattr(trace, _PROXY, None)
        if self._before is not None:
            setattr(trace, _PROXY, _LateProvider(self.provider))

    def start(self, cell: Cell) -> trace.Span:
        """Return the span of a cell that begins, below its execution."""
        context = trace.set_span_in_context(RemoteSpan(*cell.traceparents))
        return self._tracer.start_span("cell", context)

    def end(self, span: trace.Span, result: Any) -> None:
        """End the span of a cell, with the name of the error that ended the cell.

        Args:
            span: As `start` returned it.
            result: What IPython says of the execution; None: it was cancelled.
        """
        error: object = asyncio.CancelledError()
        if result is not None:
            error = result.error_before_exec or result.error_in_exec
        if error is not None:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(trace.StatusCode.ERROR)
        span.end()

    def close(self) -> None:
        """Send what is queued, for a second at most, and step back from the proxy."""
        if self._before is not None:
            setattr(trace, _PROXY, self._before)
        self.queue.shutdown()


class _LateProvider(trace.ProxyTracerProvider):
    """Gives tracers that use ours until there is a global provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        tracer = super().get_tracer(*args, **kwargs)
        if hasattr(tracer, _NOT_SET):
            setattr(tracer, _NOT_SET, self._provider.get_tracer(*args, **kwargs))
        return tracer


def _resource() -> Resource:
    """Return the SDK's resource, under a name that says more than the SDK's."""
    found = Resource.create()
    name = str(found.attributes.get(SERVICE_NAME, ""))
    if name.startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: "jupyter-kernel"}))
    return found
