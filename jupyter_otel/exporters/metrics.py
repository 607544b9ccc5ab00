"""The SDK's metrics on the durable road."""

from typing import Any

# Reads the variables on temporality and aggregation as the SDK's own exporter does.
from opentelemetry.exporter.otlp.proto.common._internal.metrics_encoder import (
    OTLPMetricExporterMixin,
)
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    MetricsData,
)
from opentelemetry.sdk.metrics.view import Aggregation
from traitlets.config import Config

from jupyter_otel.exporters.entrance import Entrance, RoadOwner
from jupyter_otel.tally import Signal, Tally


class SpoolMetricExporter(OTLPMetricExporterMixin, MetricExporter):
    """Exports metrics through our spool: an outage or a crash loses none.

    ::

        PeriodicExportingMetricReader(SpoolMetricExporter())

    Args:
        config: As for `SpoolLogExporter`.
        telemetry: As for `SpoolLogExporter`.
        preferred_temporality: By class of instrument, over what
            ``OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`` says.
        preferred_aggregation: By class of instrument, over what
            ``OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`` says.

    Raises:
        ConfigError: A setting or a destination cannot be used.
        SpoolError: The spool's directory cannot be written.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        telemetry: RoadOwner | None = None,
        preferred_temporality: dict[type, AggregationTemporality] | None = None,
        preferred_aggregation: dict[type, Aggregation] | None = None,
    ) -> None:
        self._common_configuration(preferred_temporality, preferred_aggregation)
        self._entrance = Entrance(Signal.METRICS, config, telemetry)

    @property
    def preferred_temporality(self) -> dict[type, AggregationTemporality]:
        """By class of instrument, for readers that are not the SDK's."""
        return self._preferred_temporality or {}

    @property
    def preferred_aggregation(self) -> dict[type, Aggregation]:
        """By class of instrument, for readers that are not the SDK's."""
        return self._preferred_aggregation or {}

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002 - nothing here takes as long
        **_: Any,
    ) -> MetricExportResult:
        """Store a collection; FAILURE: it is shut down, or points were lost.

        SUCCESS says that the spool has it, not yet the receiver: see `tally`, which
        counts data points. Never raises.
        """
        if self._entrance.put(encode_metrics, metrics_data):
            return MetricExportResult.SUCCESS
        return MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Return whether all that was exported is sent, or counted as dropped."""
        return self._entrance.flush(timeout_millis / 1e3)

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Send what 1.5 s allow; the rest waits in the spool for the next process."""
        self._entrance.close(timeout_millis / 1e3)

    def tally(self) -> Tally:
        """Return the books of everything on this road."""
        return self._entrance.tally()
