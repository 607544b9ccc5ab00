"""The SDK's spans on the durable road."""

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from traitlets.config import Config

from jupyter_otel.exporters.entrance import Entrance, RoadOwner
from jupyter_otel.tally import Signal, Tally


class SpoolSpanExporter(SpanExporter):
    """Exports spans through our spool: an outage or a crash loses none.

    ::

        provider.add_span_processor(BatchSpanProcessor(SpoolSpanExporter()))

    Args:
        config: As for `SpoolLogExporter`.
        telemetry: As for `SpoolLogExporter`.

    Raises:
        ConfigError: A setting or a destination cannot be used.
        SpoolError: The spool's directory cannot be written.
    """

    def __init__(
        self, config: Config | None = None, *, telemetry: RoadOwner | None = None
    ) -> None:
        self._entrance = Entrance(Signal.TRACES, config, telemetry)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Store a batch; FAILURE: it is shut down, or spans were lost. Never raises.

        SUCCESS says that the spool has it, not yet the receiver: see `tally`.
        """
        if self._entrance.put(encode_spans, spans):
            return SpanExportResult.SUCCESS
        return SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return whether all that was exported is sent, or counted as dropped."""
        return self._entrance.flush(timeout_millis / 1e3)

    def shutdown(self) -> None:
        """Send what 1.5 s allow; the rest waits in the spool for the next process."""
        self._entrance.close()

    def tally(self) -> Tally:
        """Return the books of everything on this road."""
        return self._entrance.tally()
