"""Our numbers on the server's own ``/metrics``, as Prometheus text.

Jupyter Server writes there what is in prometheus_client's registry; here is what puts
one collection's numbers into it.
"""

from collections.abc import Iterator
from typing import Any
from weakref import ref

from prometheus_client.core import (
    REGISTRY,
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from jupyter_otel.measures import MEASURES, PREFIX, Measure
from jupyter_otel.road import Road
from jupyter_otel.tally import Tally
from jupyter_otel.telemetry import Telemetry

_UNITS = {"By": "bytes", "s": "seconds"}
_FAMILIES: dict[str, Any] = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


class BooksCollector(Collector):
    """Reads a telemetry's numbers whenever somebody scrapes; keeps it not alive."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = ref(telemetry)

    def describe(self) -> list[Metric]:
        """Say nothing in advance: asked for names, the registry would collect."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers of this moment; none, if nothing is collected any more."""
        telemetry = self._telemetry()
        road = None if telemetry is None else telemetry.road
        if telemetry is None or road is None:
            return
        tally = telemetry.tally()
        for measure in MEASURES:
            yield _family(measure, tally, road)


_shown: list[BooksCollector] = []


def show_metrics(telemetry: Telemetry) -> None:
    """Show a telemetry's numbers on ``/metrics``, instead of any shown before.

    A process has one registry, whatever servers it runs: the last one counts.
    """
    while _shown:
        REGISTRY.unregister(_shown.pop())
    collector = BooksCollector(telemetry)
    REGISTRY.register(collector)
    _shown.append(collector)


def _family(measure: Measure, tally: Tally, road: Road) -> Metric:
    samples = list(measure.read(tally, road))
    labels = list(samples[0].attributes) if samples else []
    name = (PREFIX + measure.name).replace(".", "_")
    unit = _UNITS.get(measure.unit, "")
    family: Metric = _FAMILIES[measure.kind](
        f"{name}_{unit}" if unit else name, measure.help, labels=labels, unit=unit
    )
    for attributes, value in samples:
        family.add_metric(list(attributes.values()), value)  # type: ignore[attr-defined]
    return family
