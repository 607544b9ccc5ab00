"""What only metrics have: temporality and aggregation, and points that are counted."""

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import (
    AlwaysOnExemplarFilter,
    Counter,
    Histogram,
    MeterProvider,
)
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import (
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    LastValueAggregation,
)

from jupyter_otel.exporters.metrics import SpoolMetricExporter
from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver

TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
AGGREGATION = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"


@pytest.fixture
def open_exporter(config):
    opened = []

    def open_one(**arguments):
        opened.append(SpoolMetricExporter(config, **arguments))
        return opened[-1]

    yield open_one
    for exporter in opened:
        exporter.shutdown()


@pytest.mark.parametrize("preference", [None, "cumulative", "DELTA", "lowmemory", "??"])
def test_temporality_is_preferred_as_by_the_stock_exporter(
    open_exporter, monkeypatch, preference
):
    if preference is not None:
        monkeypatch.setenv(TEMPORALITY, preference)
    stock = OTLPMetricExporter()
    stock.shutdown()

    exporter = open_exporter()

    assert exporter._preferred_temporality == stock._preferred_temporality


def test_a_temporality_given_in_code_wins(open_exporter, monkeypatch):
    monkeypatch.setenv(TEMPORALITY, "DELTA")
    given = {Counter: AggregationTemporality.CUMULATIVE}

    preferred = open_exporter(preferred_temporality=given)._preferred_temporality

    assert preferred[Counter] is AggregationTemporality.CUMULATIVE
    assert preferred[Histogram] is AggregationTemporality.DELTA


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("explicit_bucket_histogram", ExplicitBucketHistogramAggregation),
        ("base2_exponential_bucket_histogram", ExponentialBucketHistogramAggregation),
        ("unknown", ExplicitBucketHistogramAggregation),
    ],
)
def test_histograms_are_aggregated_as_the_variable_says(
    open_exporter, monkeypatch, name, kind
):
    monkeypatch.setenv(AGGREGATION, name)

    assert type(open_exporter()._preferred_aggregation[Histogram]) is kind


def test_an_aggregation_given_in_code_wins(open_exporter):
    given = {Histogram: LastValueAggregation()}

    preferred = open_exporter(preferred_aggregation=given)._preferred_aggregation

    assert preferred == given


def test_a_reader_sends_deltas_with_exemplars(receiver, open_exporter, monkeypatch):
    monkeypatch.setenv(TEMPORALITY, "DELTA")
    reader = PeriodicExportingMetricReader(open_exporter(), 3_600_000)
    provider = MeterProvider(
        [reader], exemplar_filter=AlwaysOnExemplarFilter(), shutdown_on_exit=False
    )
    counter = provider.get_meter("till").create_counter("sales")
    counter.add(3)
    assert provider.force_flush()
    counter.add(4)
    provider.shutdown()

    points = [
        point
        for metric in receiver.inbox.records(Signal.METRICS)
        for point in metric.sum.data_points
    ]
    assert [(p.as_int, [e.as_int for e in p.exemplars]) for p in points] == [
        (3, [3]),
        (4, [4]),
    ]


def test_refused_points_are_counted_as_the_receiver_says(config, metrics):
    body = b"\x0a\x04\x08\x02\x12\x00"  # partial_success {rejected_data_points: 2}
    with HttpReceiver(then=Answer(200, body=body)) as receiver:
        config.OtelExport.endpoint = receiver.url
        exporter = SpoolMetricExporter(config)
        exporter.export(metrics)
        assert exporter.force_flush()
        exporter_tally = exporter.tally().metrics
        exporter.shutdown()

    assert (exporter_tally.sent, exporter_tally.dropped) == (3, {"rejected": 2})
