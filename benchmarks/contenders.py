"""The roads from an event to a collector, behind one small interface.

- ``ours``: `jupyter_otel.Telemetry`, spool batched on disk.
- ``je``: the stock road; `jupyter_events.EventLogger`, the SDK's `LoggingHandler`,
  `BatchLogRecordProcessor` and OTLP/HTTP exporter.
- ``sdk``: the SDK's `Logger.emit` on the same processor: no validation, no schema.

The stock processor's queue is made large enough to lose nothing in a burst: with its
default of 2 048 records it is faster by throwing most of them away.
"""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from mixes import Mix

QUEUE = 200_000


class Contender(Protocol):
    """One road, ready to take events."""

    def emit(self, data: dict[str, Any]) -> object:
        """Hand in one event."""

    def flush(self) -> object:
        """Return when the collector has acknowledged everything handed in."""

    def close(self) -> object:
        """Release what the road holds."""


class Ours:
    """`jupyter_otel.Telemetry` at level `usage`, its spool in ``folder``."""

    def __init__(self, mix: Mix, endpoint: str, folder: Path) -> None:
        import yaml  # noqa: PLC0415 - a contender loads only its own road
        from traitlets.config import Config  # noqa: PLC0415

        from jupyter_otel.telemetry import Telemetry  # noqa: PLC0415

        overlay = folder / "benchmark.yaml"
        overlay.write_text(yaml.safe_dump(_overlay(mix)))
        config = Config()
        config.OtelPolicy.level = "usage"
        config.OtelPolicy.files = [str(overlay)]
        config.OtelRedaction.hash_key_file = str(folder / "hash_key")
        config.OtelExport.endpoint = endpoint
        config.OtelSpool.directory = str(folder / "spool")
        self._telemetry = Telemetry(config)
        self._telemetry.register_schema(mix.schema)
        self._schema_id = mix.schema_id

    def emit(self, data: dict[str, Any]) -> object:
        """Hand in one event."""
        return self._telemetry.emit(schema_id=self._schema_id, data=data)

    def flush(self) -> object:
        """Return when nothing is pending any more."""
        return self._telemetry.flush(timeout_s=120)

    def close(self) -> object:
        """Stop the threads and close the spool."""
        return self._telemetry.close()


def _overlay(mix: Mix) -> dict[str, Any]:
    properties = {"**": "operational", **mix.rules}
    return {
        "schemas": {
            mix.schema_id: {
                "level": "usage",
                "group": "extensions",
                "properties": properties,
            }
        }
    }


class _Sdk:
    """The SDK's provider with a batching processor and the OTLP/HTTP exporter."""

    def __init__(self, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # noqa: PLC0415
            OTLPLogExporter,
        )
        from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
        from opentelemetry.sdk._logs.export import (  # noqa: PLC0415
            BatchLogRecordProcessor,
        )

        os.environ["OTEL_BLRP_MAX_QUEUE_SIZE"] = str(QUEUE)
        exporter = OTLPLogExporter(endpoint=f"{endpoint}/v1/logs")
        self.provider = LoggerProvider()
        self.provider.add_log_record_processor(BatchLogRecordProcessor(exporter))

    def flush(self) -> object:
        """Return when the processor's queue has been exported."""
        return self.provider.force_flush(120_000)

    def close(self) -> object:
        """Stop the processor."""
        return self.provider.shutdown()


class StockEvents(_Sdk):
    """jupyter_events with the SDK's logging handler attached."""

    def __init__(self, mix: Mix, endpoint: str, folder: Path) -> None:  # noqa: ARG002
        super().__init__(endpoint)
        from jupyter_events import EventLogger  # noqa: PLC0415
        from opentelemetry.sdk._logs import LoggingHandler  # noqa: PLC0415

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            handler = LoggingHandler(logger_provider=self.provider)
        self._events = EventLogger(handlers=[handler])
        self._events.register_event_schema(mix.schema)
        self._schema_id = mix.schema_id

    def emit(self, data: dict[str, Any]) -> object:
        """Hand in one event."""
        return self._events.emit(schema_id=self._schema_id, data=data)


class StockLogger(_Sdk):
    """The SDK's logger given the event's data as the record's body."""

    def __init__(self, mix: Mix, endpoint: str, folder: Path) -> None:  # noqa: ARG002
        super().__init__(endpoint)
        self._logger = self.provider.get_logger("benchmark")
        self._attributes = {"jupyter.schema.id": mix.schema_id}

    def emit(self, data: dict[str, Any]) -> object:
        """Hand in one event."""
        return self._logger.emit(
            body=data, attributes=self._attributes, event_name="benchmark"
        )


CONTENDERS: dict[str, Callable[[Mix, str, Path], Contender]] = {
    "ours": Ours,
    "je": StockEvents,
    "sdk": StockLogger,
}
