"""The books as metrics, at a receiver and on a page for Prometheus."""

import gc
import json
import subprocess
import sys

import pytest
from prometheus_client import REGISTRY, generate_latest

from jupyter_otel.hosts.server.metrics import show_metrics
from jupyter_otel.tally import Signal
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from tests.unit.telemetry.conftest import SCHEMA

RUN = SCHEMA["$id"]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    monkeypatch.delenv("OTEL_METRICS_EXPORTER", raising=False)
    monkeypatch.delenv("OTEL_METRIC_EXPORT_INTERVAL", raising=False)


def values(receiver):
    """Return the newest value of each number, by name and attributes."""
    found = {}
    for metric in receiver.inbox.records(Signal.METRICS):
        points = metric.gauge.data_points or metric.sum.data_points
        for point in points:
            attributes = tuple(a.value.string_value for a in point.attributes)
            found[metric.name, *attributes] = point.as_int or point.as_double
    return found


def test_the_last_numbers_arrive_when_telemetry_is_closed(
    config, receiver, open_telemetry
):
    config.OtelMetrics.enabled = True
    telemetry = open_telemetry(config)
    telemetry.emit(schema_id=RUN, data={"tool": "x"})
    telemetry.emit(schema_id=RUN, data={})
    telemetry.emit(schema_id="urn:unknown", data={})
    assert telemetry.flush()
    telemetry.close(30)

    found = values(receiver)
    prefix = "jupyter_otel."
    assert found[f"{prefix}records.accepted", "logs"] == 2
    assert found[f"{prefix}records.sent", "logs"] == 1
    assert found[f"{prefix}records.dropped", "logs", "invalid"] == 1
    assert found[f"{prefix}events.refused", "logs", "unknown_schema"] == 1
    assert found[f"{prefix}records.pending", "logs"] == 0
    assert found[f"{prefix}spool.size",] == 0
    (request,) = [r for r in receiver.inbox.requests() if r.signal is Signal.METRICS]
    (resource,) = request.message.resource_metrics
    names = {a.key: a.value.string_value for a in resource.resource.attributes}
    (log_request, *_) = [
        r for r in receiver.inbox.requests() if r.signal is Signal.LOGS
    ]
    of_logs = log_request.message.resource_logs[0].resource.attributes
    assert names == {a.key: a.value.string_value for a in of_logs}


def test_numbers_are_sent_as_often_as_the_variable_says(
    config, receiver, open_telemetry, monkeypatch
):
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
    open_telemetry(config)

    receiver.inbox.wait_for_requests(3)

    assert {request.signal for request in receiver.inbox.requests()} == {Signal.METRICS}


@pytest.mark.parametrize("interval", ["0", "-1", "soon", "1e400"])
def test_an_interval_that_is_none_is_a_warning(
    config, receiver, open_telemetry, monkeypatch, interval
):
    config.OtelMetrics.enabled = True
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", interval)

    warning = (
        "OTEL_METRIC_EXPORT_INTERVAL must be a number of milliseconds above 0, got "
        f"'{interval}'. It is ignored."
    )
    assert open_telemetry(config).warnings == [warning]


@pytest.mark.parametrize(("trait", "variable"), [(False, "otlp"), (None, "none")])
def test_nothing_is_sent_unless_it_is_asked_for(
    config, receiver, open_telemetry, monkeypatch, trait, variable
):
    config.OtelMetrics.enabled = trait
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", variable)
    telemetry = open_telemetry(config)
    telemetry.emit(schema_id=RUN, data={"tool": "x"})
    assert telemetry.flush()
    telemetry.close(30)

    assert {request.signal for request in receiver.inbox.requests()} == {Signal.LOGS}


def test_without_an_endpoint_numbers_are_lines(config, open_telemetry, tmp_path):
    config.OtelMetrics.enabled = True
    open_telemetry(config).close(30)

    (line,) = (tmp_path / "export" / "metrics.jsonl").read_text().splitlines()
    (resource,) = json.loads(line)["resourceMetrics"]
    assert resource["scopeMetrics"][0]["scope"]["name"] == "jupyter_otel"


def test_the_start_does_not_import_the_sdks_metrics(config, tmp_path):
    script = (
        "import sys, json; from traitlets.config import Config;"
        "from jupyter_otel import Telemetry;"
        "t = Telemetry(Config(json.loads(sys.argv[1])));"
        "assert t.enabled; print('opentelemetry.sdk.metrics' in sys.modules)"
    )
    config.OtelMetrics.enabled = True
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(config)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def page():
    """Return what Prometheus would read of us, without comments."""
    lines = generate_latest(REGISTRY).decode().splitlines()
    ours = [line for line in lines if line.startswith("jupyter_otel_")]
    return dict(line.rsplit(" ", 1) for line in ours)


def test_prometheus_reads_the_books(config, open_telemetry):
    with HttpReceiver(then=Answer(503)) as failing:
        config.OtelExport.endpoint = failing.url
        telemetry = open_telemetry(config)
        show_metrics(telemetry)
        telemetry.emit(schema_id=RUN, data={"tool": "x"})
        telemetry.emit(schema_id=RUN, data={})
        telemetry.emit(schema_id="urn:unknown", data={})
        failing.inbox.wait_for_requests(1)
        telemetry.flush(0.2)
        read = page()

    assert float(read.pop("jupyter_otel_spool_size_bytes")) > 0
    assert float(read.pop("jupyter_otel_spool_oldest_seconds")) >= 0
    zero = {
        f'jupyter_otel_records_{name}{{signal="{signal}"}}': "0.0"
        for name in ("accepted_total", "sent_total", "aggregated_total", "pending")
        for signal in ("logs", "traces", "metrics")
    }
    assert read == zero | {
        'jupyter_otel_records_accepted_total{signal="logs"}': "2.0",
        'jupyter_otel_records_pending{signal="logs"}': "1.0",
        'jupyter_otel_records_dropped_total{reason="invalid",signal="logs"}': "1.0",
        'jupyter_otel_events_refused_total{reason="unknown_schema",signal="logs"}': (
            "1.0"
        ),
        'jupyter_otel_last_error{error_type="HTTP 503",signal="logs"}': "1.0",
    }


def test_only_the_last_telemetry_is_shown_and_none_kept_alive(config):
    first, second = Telemetry(config), Telemetry(config)
    show_metrics(first)
    show_metrics(second)
    first.close()
    assert page()

    second.close()
    assert page() == {}
    del first, second
    gc.collect()
    assert page() == {}
