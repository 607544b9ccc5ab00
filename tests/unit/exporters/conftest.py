import socket

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, Status, StatusCode
from traitlets.config import Config

from jupyter_otel.testing.http_receiver import HttpReceiver

RESOURCE = Resource({"service.name": "shop", "floors": [1, 2]}, "https://x.org/1")


@pytest.fixture(autouse=True)
def no_opentelemetry_variables(monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def config(tmp_path):
    """Every file in the test's own folder, no receiver yet."""
    made = Config()
    made.OtelSpool.directory = str(tmp_path / "spool")
    made.OtelExport.directory = str(tmp_path / "export")
    return made


@pytest.fixture
def receiver(config):
    """A collector that takes everything; the configuration points at it."""
    with HttpReceiver() as started:
        config.OtelExport.endpoint = started.url
        yield started


@pytest.fixture
def spans():
    """Finished spans of two scopes, with all that a span can have."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("till", "1.2", "https://x.org/2", {"a": True})
    with tracer.start_as_current_span("sell", attributes={"n": 1, "f": 0.5}) as sell:
        sell.add_event("rang", {"bell": "old"})
        with provider.get_tracer("bank").start_as_current_span("pay") as pay:
            pay.set_status(Status(StatusCode.ERROR, "no money"))
    links = [Link(sell.get_span_context(), {"why": "next"})]
    tracer.start_span("linked", links=links).end()
    return kept.get_finished_spans()


@pytest.fixture
def log_records():
    """Log records in and outside of a span, with a body of each kind."""
    kept = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    log = provider.get_logger("till", "1.2", "https://x.org/2", {"a": True})
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("till")
    log.emit(LogRecord(timestamp=5, body="closed", attributes={"till": 3}))
    with tracer.start_as_current_span("sell"):
        log.emit(
            LogRecord(
                observed_timestamp=7,
                severity_text="ERROR",
                severity_number=SeverityNumber.ERROR,
                body={"failed": [1, None, b"x"]},
                event_name="till.failed",
            )
        )
    return kept.get_finished_logs()


@pytest.fixture
def metrics():
    """A collection of every kind of instrument, with exemplars."""
    reader = InMemoryMetricReader()
    provider = MeterProvider(
        [reader],
        RESOURCE,
        exemplar_filter=AlwaysOnExemplarFilter(),
        shutdown_on_exit=False,
    )
    meter = provider.get_meter("till", "1.2")
    meter.create_counter("sales", "1", "How many").add(3, {"kind": "tea"})
    meter.create_up_down_counter("stock").add(-2)
    for amount in (0.5, 7, 7000):
        meter.create_histogram("price").record(amount, {"kind": "tea"})
    meter.create_gauge("heat").set(21.5)
    provider.get_meter("bank").create_counter("loans").add(1)
    return reader.get_metrics_data()


@pytest.fixture
def free_port():
    """Return a port at which nobody listens."""
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        return unbound.getsockname()[1]
