"""The SDK's log records on the durable road."""

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from traitlets.config import Config

from jupyter_otel.exporters.entrance import Entrance, RoadOwner
from jupyter_otel.tally import Signal, Tally


class SpoolLogExporter(LogRecordExporter):
    """Exports log records through our spool: an outage or a crash loses none.

    ::

        provider.add_log_record_processor(BatchLogRecordProcessor(SpoolLogExporter()))

    Args:
        config: Traitlets configuration (`OtelExport`, `OtelSpool`); ``OTEL_*`` counts
            too. Exporters of one process with the same one share a spool.
        telemetry: Whose spool and books to share instead.

    Raises:
        ConfigError: A setting or a destination cannot be used.
        SpoolError: The spool's directory cannot be written.
    """

    def __init__(
        self, config: Config | None = None, *, telemetry: RoadOwner | None = None
    ) -> None:
        self._entrance = Entrance(Signal.LOGS, config, telemetry)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Store a batch; FAILURE: it is shut down, or records were lost. Never raises.

        SUCCESS says that the spool has it, not yet the receiver: see `tally`.
        """
        if self._entrance.put(encode_logs, batch):
            return LogRecordExportResult.SUCCESS
        return LogRecordExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        """Return whether all that was exported is sent, or counted as dropped."""
        return self._entrance.flush(timeout_millis / 1e3)

    def shutdown(self) -> None:
        """Send what 1.5 s allow; the rest waits in the spool for the next process."""
        self._entrance.close()

    def tally(self) -> Tally:
        """Return the books of everything on this road."""
        return self._entrance.tally()
