"""User code's own OpenTelemetry data, from a real kernel through a real server."""

import contextlib
import gzip
import html
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from jupyter_otel.export.otlp_json import to_json
from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import HttpReceiver

RELAY = (
    "--OtelPolicy.level=operational",
    "--OtelSources.otlp_relay=True",
    # What is counted here is what kernels send.
    "--OtelSources.http_requests=False",
)
RELAYING = (*RELAY, "--OtelConsent.mode=mandatory")
# Nothing is configured: the environment is all that this has.
USER_CODE = """
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
import logging, warnings
warnings.simplefilter("ignore")

spans = TracerProvider()
spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
numbers = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])

forged = {"user.name": "boss", "jupyter.trust": "server", "kept": 1}
with spans.get_tracer("mine").start_as_current_span("work", attributes=forged):
    logger = logging.getLogger("mine")
    logger.addHandler(LoggingHandler(logger_provider=logs))
    logger.warning("hello", extra=forged)
numbers.get_meter("mine").create_counter("clicks").add(2, forged)
print([each.force_flush() for each in (spans, logs, numbers)])
"""
PRINT_VARIABLES = (
    "import json, os;"
    "print(json.dumps({n: v for n, v in os.environ.items() if n.startswith('OTEL_')}))"
)
OTLP = "OTEL_EXPORTER_OTLP_"


@pytest.fixture(scope="module")
def receiver():
    """Return a collector that takes everything."""
    with HttpReceiver() as started:
        yield started


@pytest.fixture(scope="module")
def relaying(start_server, receiver):
    """Return a server with a relay."""
    return start_server(
        *RELAYING,
        f"--OtelExport.endpoint={receiver.url}",
        "--ServerApp.log_level=DEBUG",  # no token is in the log even so
    )


def variables_in(connect, server, kernel_id):
    return json.loads(connect(server, kernel_id).run(PRINT_VARIABLES))


def token_in(connect, server, kernel_id):
    headers = variables_in(connect, server, kernel_id)[f"{OTLP}HEADERS"]
    name, _, token = headers.partition("=")
    assert name == "x-jupyter-otel-kernel"
    return token


def one_span(trace_id=b"t" * 16, name="one"):
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.name, span.trace_id, span.span_id = name, trace_id, b"s" * 8
    return request.SerializeToString()


def nested(levels):
    """Return a request with a value in a value in a value."""
    value = b""
    for _ in range(levels):  # an ArrayValue of one AnyValue, as field 5 of an AnyValue
        value = field(5, field(1, value))
    attribute = field(1, b"deep") + field(2, value)
    return field(1, field(1, field(1, attribute)))


def field(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(number):
    head = b""
    while number > 0x7F:
        head += bytes([number & 0x7F | 0x80])
        number >>= 7
    return head + bytes([number])


JSON = {"Content_Type": "application/json"}
GZIP = {"Content_Encoding": "gzip"}


def post(server, body=b"", signal="traces", **headers):
    """Return status and body of an answer of the relay."""
    request = urllib.request.Request(  # noqa: S310 - the URL is the server's own
        f"{server.url}otel/v1/{signal}",
        data=body,
        headers={"Content-Type": "application/x-protobuf"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def retry_after(server, token):
    """Return how long a kernel that is refused has to wait."""
    url = urllib.parse.urlsplit(server.url)
    with contextlib.closing(http.client.HTTPConnection(url.netloc)) as connection:
        headers = {
            "Content-Type": "application/x-protobuf",
            "X-Jupyter-Otel-Kernel": token,
        }
        connection.request("POST", f"{url.path}otel/v1/traces", b"", headers)
        with connection.getresponse() as answer:
            assert answer.status == 429
            return answer.headers["Retry-After"]


def page_of(server):
    request = urllib.request.Request(  # noqa: S310 - the URL is the server's own
        f"{server.url}otel", headers={"Authorization": "token integration-test"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return answer.read().decode()


def in_json(server, token, body):
    """Return status and body of an answer in JSON, without its text for people."""
    status, text = post(server, body, X_Jupyter_Otel_Kernel=token, **JSON)
    answer = json.loads(text)
    told = answer.get("partialSuccess", answer)
    del told["errorMessage" if "partialSuccess" in answer else "message"]
    return status, answer


def texts(attributes):
    return {each.key: each.value.string_value for each in attributes}


def of_kernel(receiver, signal, kernel_id):
    """Return resource and records of what a kernel sent."""
    layers = {
        Signal.LOGS: ("resource_logs", "scope_logs", "log_records"),
        Signal.TRACES: ("resource_spans", "scope_spans", "spans"),
        Signal.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
    }
    outer, inner, items = layers[signal]
    return [
        (texts(resource.resource.attributes), record)
        for received in receiver.inbox.requests()
        if received.signal is signal and received.status == "200"
        for resource in getattr(received.message, outer)
        for scope in getattr(resource, inner)
        for record in getattr(scope, items)
        if texts(resource.resource.attributes).get("jupyter.kernel.id") == kernel_id
    ]


def test_what_a_cell_exports_with_the_plain_sdk_arrives_stamped(
    relaying, receiver, connect, wait_until
):
    kernel_id = relaying.start_kernel()

    printed = connect(relaying, kernel_id).run(USER_CODE)

    assert printed == "[True, True, True]\n"
    found = {
        signal: wait_until(lambda s=signal: of_kernel(receiver, s, kernel_id))
        for signal in Signal
    }
    stamps = {
        "jupyter.source": "kernel",
        "jupyter.trust": "client",
        "jupyter.kernel.id": kernel_id,
    }
    for [(resource, record)] in found.values():
        assert resource.items() >= stamps.items()
        assert resource["telemetry.sdk.name"] == "opentelemetry"
        [point] = (getattr(record, "sum", None) and record.sum.data_points) or [record]
        names = {each.key for each in point.attributes}
        assert "kept" in names
        assert not {n for n in names if n.startswith(("user.", "jupyter."))}
    [(_, span)], [(_, log)] = found[Signal.TRACES], found[Signal.LOGS]
    assert (span.name, log.body.string_value) == ("work", "hello")
    assert log.trace_id == span.trace_id
    tally = relaying.status()["signals"]
    assert tally["metrics"]["sent"] == tally["metrics"]["accepted"] == 1


def test_only_a_running_kernels_own_token_opens_it(
    relaying, start_server, receiver, connect
):
    other = start_server(*RELAYING, f"--OtelExport.endpoint={receiver.url}")
    kernel_id, gone = relaying.start_kernel(), relaying.start_kernel()
    token = token_in(connect, relaying, kernel_id)
    of_gone = token_in(connect, relaying, gone)
    of_other = token_in(connect, other, other.start_kernel())
    relaying.request("DELETE", f"api/kernels/{gone}")
    body = one_span()

    assert post(relaying, body, X_Jupyter_Otel_Kernel=token)[0] == 200
    refused = [
        post(relaying, body),
        post(relaying, body, X_Jupyter_Otel_Kernel=of_gone),
        post(relaying, body, X_Jupyter_Otel_Kernel=of_other),
        post(relaying, body, X_Jupyter_Otel_Kernel=token[:-1]),
        post(relaying, body, Cookie=f"X-Jupyter-Otel-Kernel={token}"),
        post(relaying, body, Authorization="token integration-test"),
    ]
    assert [status for status, _ in refused] == [401] * 6
    assert "Starting kernel: " in relaying.log
    assert token not in relaying.log


def test_a_token_opens_nothing_else(relaying, connect):
    token = token_in(connect, relaying, relaying.start_kernel())

    with pytest.raises(urllib.error.HTTPError, match="403"):
        relaying.request("GET", "otel/v1/status", token=token)


def test_no_request_counts_as_activity(relaying, connect):
    token = token_in(connect, relaying, relaying.start_kernel())
    before = relaying.request("GET", "api/status")["last_activity"]

    assert post(relaying, one_span(), X_Jupyter_Otel_Kernel=token)[0] == 200

    assert relaying.request("GET", "api/status")["last_activity"] == before


def test_a_restart_keeps_the_token(relaying, connect):
    kernel_id = relaying.start_kernel()
    before = token_in(connect, relaying, kernel_id)

    relaying.request("POST", f"api/kernels/{kernel_id}/restart")

    assert token_in(connect, relaying, kernel_id) == before
    assert post(relaying, one_span(), X_Jupyter_Otel_Kernel=before)[0] == 200


def test_nothing_is_lost_while_the_collector_is_away(
    start_server, connect, free_port, wait_until
):
    url = f"http://127.0.0.1:{free_port}"
    server = start_server(*RELAYING, f"--OtelExport.endpoint={url}")
    kernel_id = server.start_kernel()

    assert connect(server, kernel_id).run(USER_CODE) == "[True, True, True]\n"
    assert server.status()["signals"]["metrics"]["pending"] == 1

    with HttpReceiver(port=free_port) as back:
        for signal in Signal:
            [_] = wait_until(lambda s=signal: of_kernel(back, s, kernel_id))


def test_people_see_the_road_what_left_on_it_and_their_choice(
    start_server, connect, wait_until
):
    server = start_server(*RELAY, "--OtelConsent.mode=opt_out")
    kernel_id = server.start_kernel()
    mark = "<script>alert(1)</script>"
    connect(server, kernel_id).run(USER_CODE.replace('"work"', repr(mark)))
    wait_until(
        lambda: server.request("GET", "otel/v1/recent"),
        lambda recent: len({each["signal"] for each in recent["records"]}) == 3,
    )

    collected = server.request("GET", "otel/v1/collected")
    [road] = [each for each in collected["roads"] if "relay" in each["name"]]
    assert road["is_open"]
    assert {each["signal"] for each in collected["destinations"]} == set(Signal)
    groups = server.request("GET", "otel/v1/consent")["groups"]
    assert groups["extensions"]["collects"]
    page = page_of(server)
    assert f"span {html.escape(mark)}" in page
    assert mark not in page
    for part in ("metric clicks", "log record", "relay for kernels", kernel_id):
        assert part in page


HOSTILE = {
    "garbage": (b"\xff" * 1000, {}, 400),
    "text that is no UTF-8": (b"\x0a\x04\x0a\x02\xff\xff", {}, 400),
    "deep protobuf": (nested(5000), {}, 400),
    "deep JSON": (b"[" * 2**19, JSON, 400),
    "much JSON": (b"[" * 2**21, JSON, 413),
    "JSON of wrong types": (b'{"resourceSpans": [{"scopeSpans": 7}]}', JSON, 400),
    "no gzip": (b"gzip?", GZIP, 400),
    "half a gzip": (gzip.compress(bytes(9999))[:-9], GZIP, 400),
    "a zip bomb": (gzip.compress(bytes(100 * 2**20)), GZIP, 413),
    "a wrong type": (b"a=b", {"Content_Type": "text/plain"}, 415),
    "an unknown compression": (b"", {"Content_Encoding": "br"}, 415),
    "too many bytes": (bytes(100 * 2**20), {}, 413),
    "two million empty resources": (b"\x0a\x00" * 2**21, {}, 400),
    "ids that are none": (one_span(trace_id=b"short"), {}, 400),
}


def test_hostile_requests_are_refused_each_with_its_status(
    relaying, receiver, connect, wait_until
):
    kernel_id = relaying.start_kernel()
    token = token_in(connect, relaying, kernel_id)

    statuses = {
        case: post(relaying, body, X_Jupyter_Otel_Kernel=token, **headers)[0]
        for case, (body, headers, _) in HOSTILE.items()
    }

    assert statuses == {case: status for case, (_, _, status) in HOSTILE.items()}
    assert post(relaying, one_span(), X_Jupyter_Otel_Kernel=token)[0] == 200
    [(_, span)] = wait_until(lambda: of_kernel(receiver, Signal.TRACES, kernel_id))
    assert span.name == "one"


def test_a_kernel_that_sends_too_much_has_to_wait_and_others_do_not(relaying, connect):
    flooding, quiet = (
        token_in(connect, relaying, relaying.start_kernel()) for _ in range(2)
    )
    large = one_span(name="n" * 3 * 2**20)

    answers = [
        post(relaying, large, X_Jupyter_Otel_Kernel=flooding)[0] for _ in range(20)
    ]

    assert set(answers) == {200, 429}
    assert 1 <= int(retry_after(relaying, flooding)) <= 60
    assert post(relaying, one_span(), X_Jupyter_Otel_Kernel=flooding)[0] == 429
    assert post(relaying, one_span(), X_Jupyter_Otel_Kernel=quiet)[0] == 200


def test_the_persons_no_stops_it_and_the_sdk_is_told(start_server, connect):
    server = start_server(*RELAY, "--OtelConsent.mode=opt_in")
    token = token_in(connect, server, server.start_kernel())

    asked, answer = post(server, one_span(), X_Jupyter_Otel_Kernel=token)
    as_json = in_json(server, token, to_json(Signal.TRACES, one_span()))
    refused = in_json(server, token, b"{")
    server.request("PUT", "otel/v1/consent", {"groups": {"extensions": True}})
    allowed, rest = post(server, one_span(), X_Jupyter_Otel_Kernel=token)

    response = ExportTraceServiceResponse.FromString(answer)
    assert (asked, response.partial_success.rejected_spans) == (200, 1)
    assert "extensions" in response.partial_success.error_message
    assert (allowed, rest) == (200, b"")
    assert as_json == (200, {"partialSuccess": {"rejectedSpans": "1"}})
    assert refused == (400, {"code": 3})
    traces = server.status()["signals"]["traces"]
    assert (traces["accepted"], traces["dropped"]) == (3, {"no_consent": 2})


def test_at_level_none_there_is_no_relay_whatever_else_is_set(start_server, connect):
    server = start_server("--OtelSources.otlp_relay=True")

    assert variables_in(connect, server, server.start_kernel()) == {}
    assert post(server, one_span(), Authorization="token integration-test")[0] == 404


def test_without_the_relay_there_is_no_endpoint_and_no_variable(server, connect):
    environ = variables_in(connect, server, server.start_kernel())

    assert environ == {}
    assert post(server, one_span(), Authorization="token integration-test")[0] == 404
