import io

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from jupyter_otel.export.console import Console
from jupyter_otel.export.services import SERVICES
from jupyter_otel.export.verdicts import Rejected, Retry, Sent
from jupyter_otel.tally import Signal


def printed(signal, request):
    stream = io.StringIO()
    verdict = Console(signal, stream).send(request.SerializeToString(), 1)
    assert verdict == Sent()
    return stream.getvalue()


def test_a_log_record_is_one_line():
    request = SERVICES[Signal.LOGS].request()
    records = request.resource_logs.add().scope_logs.add().log_records
    record = records.add(
        time_unix_nano=1_700_000_000_123_000_000,
        severity_text="ERROR",
        event_name="jupyter_server.contents_service",
    )
    record.body.string_value = "contents get"
    record.attributes.add(key="n").value.int_value = 3
    value = record.attributes.add(key="list").value.array_value.values.add()
    value.kvlist_value.values.add(key="deep").value.bool_value = True
    record.attributes.add(key="none")
    records.add(observed_time_unix_nano=1)

    assert printed(Signal.LOGS, request) == (
        "2023-11-14T22:13:20.123Z ERROR jupyter_server.contents_service contents get"
        ' {"n":3,"list":[{"deep":true}],"none":null}\n'
        "1970-01-01T00:00:00.000Z LOG - null {}\n"
    )


def test_a_body_with_line_breaks_stays_one_line():
    request = SERVICES[Signal.LOGS].request()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "one\ntwo\r\x1b[31m"

    assert printed(Signal.LOGS, request) == (
        '1970-01-01T00:00:00.000Z LOG - "one\\ntwo\\r\\u001b[31m" {}\n'
    )


def test_a_span_is_one_line():
    request = SERVICES[Signal.TRACES].request()
    request.resource_spans.add().scope_spans.add().spans.add(
        name="execute",
        trace_id=b"\x01" * 16,
        span_id=b"\x02" * 8,
        start_time_unix_nano=1_700_000_000_000_000_000,
        end_time_unix_nano=1_700_000_000_012_500_000,
        status=Status(code=Status.STATUS_CODE_ERROR),
    )

    assert printed(Signal.TRACES, request) == (
        "2023-11-14T22:13:20.000Z SPAN execute 12.5ms ERROR "
        "01010101010101010101010101010101/0202020202020202 {}\n"
    )


def test_a_metric_is_one_line():
    request = SERVICES[Signal.METRICS].request()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.sum.data_points.add(as_int=4)

    assert printed(Signal.METRICS, request) == 'METRIC m sum [{"asInt":"4"}]\n'


def test_without_a_stream_lines_go_to_standard_output(capsys):
    request = SERVICES[Signal.METRICS].request()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")

    assert Console(Signal.METRICS).send(request.SerializeToString(), 1) == Sent()
    assert capsys.readouterr().out == "METRIC m  []\n"


def test_a_closed_stream_is_retried_and_no_request_rejected():
    stream = io.StringIO()
    stream.close()

    assert Console(Signal.LOGS, stream).send(b"", 0) == Retry(
        None, "ValueError writing to standard output"
    )
    assert Console(Signal.LOGS).send(b"\xff", 1) == Rejected("no OTLP logs request")


@pytest.mark.parametrize("code", [0, 1, 2, 7])
def test_a_status_code_of_tomorrow_does_not_stop_the_line(code):
    request = SERVICES[Signal.TRACES].request()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="s")
    span.status.code = code

    assert printed(Signal.TRACES, request).startswith("1970-01-01T00:00:00.000Z SPAN s")
