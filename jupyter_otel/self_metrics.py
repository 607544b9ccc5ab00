"""The books as OTLP metrics, by the SDK's `MeterProvider`, on their own road.

The SDK's metrics cost 25 ms to import: that waits for the first export, in the thread
that makes it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jupyter_otel._version import __version__
from jupyter_otel.measures import MEASURES, PREFIX, Measure
from jupyter_otel.road import Road

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider


class SelfMetrics:
    """Puts the numbers on the road every so often, and once more at the end.

    Args:
        road: Whose books they are, and which they travel.
        interval_s: How often.
        resource: Returns the attributes of the resource; called on the thread.
    """

    def __init__(
        self,
        road: Road,
        interval_s: float,
        resource: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.road = road
        self._interval_s = interval_s
        self._resource = resource
        self._provider: MeterProvider | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="jupyter_otel-metrics", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Put the last numbers on the road, if that can be done in time."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            self._export()
        self._export()

    def _export(self) -> None:
        # The SDK says what went wrong in its own log; the thread goes on.
        with suppress(Exception):
            if self._provider is None:
                self._provider = self._open_provider()
            self._provider.force_flush()

    def _open_provider(self) -> "MeterProvider":
        # On this thread: the start must not wait for it.
        from opentelemetry.sdk.metrics import (  # noqa: PLC0415
            AlwaysOffExemplarFilter,
            MeterProvider,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

        provider = MeterProvider(
            [_reader(self)],
            Resource(dict(self._resource())),
            exemplar_filter=AlwaysOffExemplarFilter(),
            shutdown_on_exit=False,
        )
        meter = provider.get_meter("jupyter_otel", __version__)
        for measure in MEASURES:
            _observe(meter, measure, self.road)
        return provider


def _reader(owner: SelfMetrics) -> Any:
    from opentelemetry.sdk.metrics.export import MetricReader  # noqa: PLC0415

    from jupyter_otel.exporters.metrics import SpoolMetricExporter  # noqa: PLC0415

    exporter = SpoolMetricExporter(telemetry=owner)

    class Reader(MetricReader):
        """Collects when it is asked to, on whose thread it is asked."""

        def _receive_metrics(
            self, metrics_data: Any, timeout_millis: float = 10_000, **_: Any
        ) -> None:
            del timeout_millis
            exporter.export(metrics_data)

        def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
            """Leave the road open: it is not the reader's."""

    return Reader(
        preferred_temporality=exporter.preferred_temporality,
        preferred_aggregation=exporter.preferred_aggregation,
    )


def _observe(meter: Any, measure: Measure, road: Road) -> None:
    from opentelemetry.metrics import Observation  # noqa: PLC0415

    def read(_options: object) -> Iterable[Observation]:
        for attributes, value in measure.read(road.books.tally(), road):
            yield Observation(value, attributes)

    create = {
        "counter": meter.create_observable_counter,
        "gauge": meter.create_observable_gauge,
    }[measure.kind]
    create(PREFIX + measure.name, [read], measure.unit, measure.help)
