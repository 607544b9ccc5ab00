"""What our exporters send against what the SDK's own do, as the Collector wrote it."""

import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from traitlets.config import Config

import jupyter_otel
from tests.unit.exporters.conftest import (  # noqa: F401 - fixtures
    log_records,
    metrics,
    spans,
)

PROTOCOLS = ("http/protobuf", "http/json", "grpc")
EXPORTERS = [
    ("logs", "log_records", jupyter_otel.SpoolLogExporter, OTLPLogExporter),
    ("traces", "spans", jupyter_otel.SpoolSpanExporter, OTLPSpanExporter),
    ("metrics", "metrics", jupyter_otel.SpoolMetricExporter, OTLPMetricExporter),
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_collector_gets_the_same_messages(collector, tmp_path, protocol, request):
    config = Config()
    config.OtelSpool.directory = str(tmp_path / "spool")
    config.OtelExport.endpoint = collector.endpoint(protocol)
    config.OtelExport.protocol = protocol
    stock_base = collector.endpoint("http/protobuf")

    for signal, batch_name, exporter_kind, stock_kind in EXPORTERS:
        batch = request.getfixturevalue(batch_name)
        exporter = exporter_kind(config)
        exporter.export(batch)
        assert exporter.force_flush()
        exporter.shutdown()
        stock = stock_kind(endpoint=f"{stock_base}/v1/{signal}")
        stock.export(batch)
        stock.shutdown()

    for signal, *_ in EXPORTERS:
        ours, theirs = collector.requests(signal)
        assert ours == theirs
