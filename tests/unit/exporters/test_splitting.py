from itertools import chain

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from jupyter_otel.exporters.splitting import split
from jupyter_otel.tally import Signal
from jupyter_otel.testing.received import parse

ENCODED = [
    (Signal.LOGS, encode_logs, "log_records"),
    (Signal.TRACES, encode_spans, "spans"),
    (Signal.METRICS, encode_metrics, "metrics"),
]


@pytest.fixture(params=ENCODED, ids=[signal for signal, *_ in ENCODED])
def case(request):
    signal, encode, batch = request.param
    return signal, encode(request.getfixturevalue(batch))


def flat(signal, message):
    """Return each record with the resource and the scope that it is under."""
    outer, inner, items = {
        Signal.LOGS: ("resource_logs", "scope_logs", "log_records"),
        Signal.TRACES: ("resource_spans", "scope_spans", "spans"),
        Signal.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
    }[signal]
    return [
        (str(resource.resource), resource.schema_url, str(scope.scope), str(item))
        for resource in getattr(message, outer)
        for scope in getattr(resource, inner)
        for item in getattr(scope, items)
    ]


def test_what_fits_is_one_part_untouched(case):
    signal, request = case

    ((_, body),) = split(signal, request)

    assert parse(signal, body) == request


def test_what_does_not_fit_is_cut_to_single_records_in_order(case):
    signal, request = case
    before = request.SerializeToString()

    parts = list(split(signal, request, 1))

    pieces = [flat(signal, parse(signal, body)) for _, body in parts]
    assert all(records == 1 for records, _ in parts)
    assert all(len(piece) == 1 for piece in pieces)
    assert [piece for (piece,) in pieces] == flat(signal, request)
    assert request.SerializeToString() == before


def test_the_points_of_one_metric_are_cut_too(metrics):
    request = encode_metrics(metrics)
    sales = request.resource_metrics[0].scope_metrics[0].metrics[0]
    del request.resource_metrics[0].scope_metrics[1:]
    del request.resource_metrics[0].scope_metrics[0].metrics[1:]
    for number in range(9):
        point = sales.sum.data_points.add()
        point.CopyFrom(sales.sum.data_points[0])
        point.as_int = number

    parts = [body for _, body in split(Signal.METRICS, request, 300)]

    metrics_of = [
        parse(Signal.METRICS, body).resource_metrics[0].scope_metrics[0].metrics[0]
        for body in parts
    ]
    values = [[p.as_int for p in metric.sum.data_points] for metric in metrics_of]
    assert list(chain.from_iterable(values)) == [3, *range(9)]
    assert len(values) > 1
    assert {(m.name, m.unit, m.sum.is_monotonic) for m in metrics_of} == {
        ("sales", "1", True)
    }
