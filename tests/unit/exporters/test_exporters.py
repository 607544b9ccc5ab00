"""The SDK's own exporter tests, against what we promise."""

import json
import logging
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import Any, NamedTuple

import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

import jupyter_otel
from jupyter_otel.errors import ConfigError, SpoolError
from jupyter_otel.tally import Signal
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from jupyter_otel.testing.received import parse


class Kind(NamedTuple):
    """One of the three."""

    signal: Signal
    exporter: type
    stock: type
    result: Any
    batch: str
    """The fixture with what to export."""
    records: int


KINDS = [
    Kind(
        Signal.LOGS,
        jupyter_otel.SpoolLogExporter,
        OTLPLogExporter,
        LogRecordExportResult,
        "log_records",
        2,
    ),
    Kind(
        Signal.TRACES,
        jupyter_otel.SpoolSpanExporter,
        OTLPSpanExporter,
        SpanExportResult,
        "spans",
        3,
    ),
    Kind(
        Signal.METRICS,
        jupyter_otel.SpoolMetricExporter,
        OTLPMetricExporter,
        MetricExportResult,
        "metrics",
        5,
    ),
]


@pytest.fixture(params=KINDS, ids=[kind.signal.value for kind in KINDS])
def kind(request):
    return request.param


@pytest.fixture
def batch(request, kind):
    return request.getfixturevalue(kind.batch)


@pytest.fixture
def open_exporter(kind):
    """Open exporters; they are shut down when the test is over."""
    opened = []

    def open_one(config=None, **arguments):
        opened.append(kind.exporter(config, **arguments))
        return opened[-1]

    yield open_one
    for exporter in opened:
        exporter.shutdown()


def messages(receiver, signal):
    return [r.message for r in receiver.inbox.requests() if r.signal is signal]


def waiting(config):
    """Return the bodies that wait in the spool files."""
    bodies = []
    for file in sorted(os.scandir(config.OtelSpool.directory), key=lambda f: f.name):
        if file.name.endswith(".sqlite"):
            with closing(sqlite3.connect(file.path)) as spool:
                rows = spool.execute("SELECT body FROM rows ORDER BY id").fetchall()
            bodies += [body for (body,) in rows]
    return bodies


def test_a_receiver_gets_what_the_stock_exporter_sends(
    kind, batch, config, receiver, open_exporter
):
    exporter = open_exporter(config)
    stock = kind.stock(endpoint=receiver.endpoint(kind.signal))

    assert exporter.export(batch) is kind.result.SUCCESS
    assert exporter.force_flush()
    assert stock.export(batch) is kind.result.SUCCESS
    stock.shutdown()

    ours, theirs = messages(receiver, kind.signal)
    assert ours == theirs
    tally = getattr(exporter.tally(), kind.signal.value)
    assert (tally.accepted, tally.sent, tally.pending) == (
        kind.records,
        kind.records,
        0,
    )


def test_while_the_receiver_is_away_a_batch_waits_on_disk(
    kind, batch, config, free_port, open_exporter
):
    config.OtelExport.endpoint = f"http://127.0.0.1:{free_port}"
    exporter = open_exporter(config)

    assert exporter.export(batch) is kind.result.SUCCESS
    (body,) = waiting(config)
    assert not exporter.force_flush(timeout_millis=50)
    exporter.shutdown()
    assert waiting(config) == [body]

    with HttpReceiver(port=free_port) as receiver:
        receiver.inbox.wait_for_requests(0)
        adopter = open_exporter(config)
        assert adopter.force_flush()
        assert messages(receiver, kind.signal) == [parse(kind.signal, body)]
    tally = getattr(adopter.tally(), kind.signal.value)
    assert (tally.accepted, tally.sent) == (kind.records, kind.records)


def test_after_shutdown_a_batch_is_a_failure_and_goes_nowhere(
    kind, batch, config, receiver, open_exporter, caplog
):
    exporter = open_exporter(config)
    exporter.shutdown()

    with caplog.at_level(logging.WARNING, "jupyter_otel"):
        assert exporter.export(batch) is kind.result.FAILURE
        assert exporter.export(batch) is kind.result.FAILURE

    assert messages(receiver, kind.signal) == []
    assert caplog.messages == [
        f"{kind.signal.value} exporter: batches are ignored: shut down or turned off."
    ]
    assert exporter.force_flush()


def test_shutdown_twice_is_as_good_as_once(
    kind, batch, config, receiver, open_exporter
):
    exporter = open_exporter(config)
    exporter.export(batch)

    exporter.shutdown()
    exporter.shutdown()

    assert len(messages(receiver, kind.signal)) == 1


def test_what_the_receiver_refuses_is_counted(
    kind, batch, config, open_exporter, caplog
):
    with HttpReceiver(then=Answer(400)) as receiver:
        config.OtelExport.endpoint = receiver.url
        exporter = open_exporter(config)

        assert exporter.export(batch) is kind.result.SUCCESS
        assert exporter.force_flush()

    tally = getattr(exporter.tally(), kind.signal.value)
    assert (tally.sent, tally.dropped) == (0, {"rejected": kind.records})


def test_what_the_spool_has_no_room_for_is_a_failure_and_counted(
    kind, batch, config, free_port, open_exporter
):
    config.OtelExport.endpoint = f"http://127.0.0.1:{free_port}"
    config.OtelSpool.max_mib = 1
    config.OtelSpool.when_full = "refuse"
    exporter = open_exporter(config)

    results = [exporter.export(batch)]
    while results[-1] is kind.result.SUCCESS:
        results.append(exporter.export(batch))

    tally = getattr(exporter.tally(), kind.signal.value)
    assert tally.dropped == {"spool_full": kind.records}
    assert tally.pending == (len(results) - 1) * kind.records


def test_a_batch_that_cannot_be_encoded_is_a_failure_without_its_data(
    kind, config, receiver, open_exporter, caplog
):
    exporter = open_exporter(config)

    assert exporter.export(["SECRET"]) is kind.result.FAILURE

    (line,) = caplog.messages
    assert "could not be taken in" in line
    assert "SECRET" not in line


def test_an_empty_batch_is_a_success_and_no_request(
    kind, config, receiver, open_exporter
):
    exporter = open_exporter(config)
    empty = {"resource_metrics": []}
    batch = type("Nothing", (), empty)() if kind.signal is Signal.METRICS else []

    assert exporter.export(batch) is kind.result.SUCCESS
    assert exporter.force_flush()
    assert messages(receiver, kind.signal) == []


def test_disabled_by_the_variable_nothing_is_opened(
    kind, batch, config, monkeypatch, open_exporter, tmp_path
):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    assert open_exporter(config).export(batch) is kind.result.FAILURE
    assert list(tmp_path.iterdir()) == []


def test_bad_settings_are_said_at_once(kind, config, tmp_path):
    config.OtelExport.compression = "zip"
    with pytest.raises(ConfigError, match=r"OtelExport\.compression"):
        kind.exporter(config)

    del config.OtelExport.compression
    (tmp_path / "file").touch()
    config.OtelSpool.directory = str(tmp_path / "file" / "spool")
    with pytest.raises(SpoolError, match=r"OtelSpool\.directory"):
        kind.exporter(config)


def test_each_signal_goes_where_its_own_variables_say(
    kind, batch, config, open_exporter, monkeypatch
):
    with HttpReceiver() as receiver:
        prefix = f"OTEL_EXPORTER_OTLP_{kind.signal.upper()}"
        endpoint = f"{receiver.url}/tenant/{kind.signal.value}"
        monkeypatch.setenv(f"{prefix}_ENDPOINT", endpoint)
        monkeypatch.setenv(f"{prefix}_HEADERS", "x-tenant=physics")
        monkeypatch.setenv(f"{prefix}_COMPRESSION", "gzip")
        exporter = open_exporter(config)
        exporter.export(batch)
        assert exporter.force_flush()

        (request,) = receiver.inbox.requests()
    assert request.signal is kind.signal
    assert request.headers["x-tenant"] == "physics"
    assert request.headers["content-encoding"] == "gzip"


def test_without_an_endpoint_a_batch_becomes_a_line(
    kind, batch, config, open_exporter, tmp_path
):
    exporter = open_exporter(config)

    exporter.export(batch)
    assert exporter.force_flush()

    (line,) = (
        (tmp_path / "export" / f"{kind.signal.value}.jsonl")
        .read_text()
        .split("\n")[:-1]
    )
    assert '"service.name"' in line


def test_a_telemetrys_road_is_shared_and_left_open(
    kind, batch, config, receiver, open_exporter, tmp_path
):
    config.OtelPolicy.level = "usage"
    config.OtelTraces.enabled = False
    config.OtelRedaction.hash_key_file = str(tmp_path / "hash_key")
    with Telemetry(config) as telemetry:
        exporter = open_exporter(telemetry=telemetry)

        assert exporter.export(batch) is kind.result.SUCCESS
        assert telemetry.flush()
        exporter.shutdown()

        assert telemetry.enabled
        assert getattr(telemetry.tally(), kind.signal.value).sent == kind.records
    assert len(messages(receiver, kind.signal)) == 1


def test_on_a_telemetry_that_collects_nothing_a_batch_is_a_failure(
    kind, batch, config, open_exporter
):
    with Telemetry(config) as telemetry:
        exporter = open_exporter(telemetry=telemetry)

        assert exporter.export(batch) is kind.result.FAILURE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_a_road_of_its_own(
    kind, batch, config, receiver, open_exporter
):
    exporter = open_exporter(config)
    exporter.export(batch)
    assert exporter.force_flush()

    child = os.fork()
    if child == 0:
        taken = exporter.export(batch) is kind.result.SUCCESS
        os._exit(0 if taken and exporter.force_flush() else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(messages(receiver, kind.signal)) == 2
    assert exporter.export(batch) is kind.result.SUCCESS
    assert exporter.force_flush()
    assert len(messages(receiver, kind.signal)) == 3


def test_exporters_of_one_configuration_share_a_spool(
    config, free_port, spans, log_records
):
    config.OtelExport.endpoint = f"http://127.0.0.1:{free_port}"
    logs = jupyter_otel.SpoolLogExporter(config)
    traces = jupyter_otel.SpoolSpanExporter(config)

    logs.export(log_records)
    traces.export(spans)

    assert len(waiting(config)) == 2
    assert logs.tally() == traces.tally()
    logs.shutdown()
    assert traces.export(spans) is SpanExportResult.SUCCESS
    traces.shutdown()
    assert len(waiting(config)) == 3


def test_the_sdk_drives_an_exporter_from_the_first_span_to_the_last(config, receiver):
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = jupyter_otel.SpoolSpanExporter(config)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    for number in range(2000):
        provider.get_tracer("many").start_span(f"s{number}").end()
    provider.shutdown()

    names = [span.name for span in receiver.inbox.records(Signal.TRACES)]
    assert names == [f"s{number}" for number in range(2000)]


SCRIPT = """
import json, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from traitlets.config import Config
provider = TracerProvider()  # its own exit handler is there before any of ours
import jupyter_otel
exporter = jupyter_otel.SpoolSpanExporter(Config(json.loads(sys.argv[1])))
provider.add_span_processor(BatchSpanProcessor(exporter))
for number in range(1000):
    provider.get_tracer("many").start_span(f"s{number}").end()
"""


@pytest.mark.parametrize("durability", ["memory", "batched"])
def test_a_program_that_just_ends_loses_none_of_its_spans(config, receiver, durability):
    config.OtelSpool.durability = durability
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(config)],
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    )

    assert done.stderr == ""
    names = [span.name for span in receiver.inbox.records(Signal.TRACES)]
    assert names == [f"s{number}" for number in range(1000)]
