import socket
import subprocess
import sys
import threading

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)

from jupyter_otel._version import __version__
from jupyter_otel.errors import ConfigError
from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.otlp_grpc import read_retry_info
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Rejected, Retry, Sent
from jupyter_otel.tally import Signal
from jupyter_otel.testing.grpc_receiver import GrpcAnswer, GrpcReceiver

LOGS = Signal.LOGS
RETRYABLE = [
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNAVAILABLE",
    "DATA_LOSS",
]
PERMANENT = [
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAUTHENTICATED",
]


def open_grpc(url, signal=LOGS, **settings):
    return open_destination(
        signal, ExportSettings("otlp", endpoint=url, protocol="grpc", **settings)
    )


@pytest.fixture
def send(logs_request):
    """Send one request to a receiver that gives one answer; return the verdict."""

    def send_to(answer, records=1, **settings):
        with GrpcReceiver([answer]) as receiver:
            destination = open_grpc(receiver.url, **settings)
            verdict = destination.send(logs_request(), records)
            destination.close()
        return verdict

    return send_to


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (GrpcAnswer(), Sent()),
        (GrpcAnswer(rejected=2, message="two bad"), Sent(2, "two bad")),
        (GrpcAnswer(rejected=99), Sent(5)),
    ],
)
def test_a_success_is_sent_and_partial_success_is_read(send, answer, verdict):
    assert send(answer, records=5) == verdict


@pytest.mark.parametrize("code", RETRYABLE)
def test_the_codes_that_otlp_lets_retry_are_retried(send, code):
    verdict = send(GrpcAnswer(code))

    assert (type(verdict), verdict.after_s) == (Retry, None)


@pytest.mark.parametrize("code", PERMANENT)
def test_every_other_code_is_permanent(send, code):
    verdict = send(GrpcAnswer(code))

    split = code in {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}
    assert (type(verdict), verdict.split) == (Rejected, split)


@pytest.mark.parametrize(
    ("code", "wait_s"), [("RESOURCE_EXHAUSTED", 2.5), ("ABORTED", 0)]
)
def test_retry_info_is_read_and_makes_exhaustion_retryable(send, code, wait_s):
    verdict = send(GrpcAnswer(code, retry_s=wait_s))

    assert (type(verdict), verdict.after_s) == (Retry, wait_s)


def test_retry_info_does_not_make_a_permanent_error_retryable(send):
    assert isinstance(send(GrpcAnswer("INTERNAL", retry_s=1)), Rejected)


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND"])
def test_authentication_errors_hold_the_data_where_wanted(send, code):
    assert isinstance(send(GrpcAnswer(code), hold_on_auth_error=True), Retry)


def test_a_receiver_that_is_not_there_is_retried(logs_request):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    destination = open_grpc(url)
    verdict = destination.send(logs_request(), 1)
    destination.close()

    assert isinstance(verdict, Retry)
    assert verdict.why.startswith(f"gRPC UNAVAILABLE from {url}: ")


def test_a_receiver_that_is_silent_is_retried_after_the_timeout(logs_request):
    answer_now = threading.Event()
    with GrpcReceiver([GrpcAnswer(wait_for=answer_now)]) as receiver:
        destination = open_grpc(receiver.url, timeout_s=0.2)
        verdict = destination.send(logs_request(), 1)
        answer_now.set()
        destination.close()

    assert verdict == Retry(None, f"gRPC DEADLINE_EXCEEDED from {receiver.url}")


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_what_arrives_is_what_was_sent(logs_request, compression):
    request = logs_request("one", "zwei ü 🪐")
    with GrpcReceiver() as receiver:
        destination = open_grpc(
            receiver.url, headers={"X-Tenant": "one"}, compression=compression
        )
        destination.send(request, 2)
        destination.close()
        (received,) = receiver.inbox.requests()

    assert received.message == ExportLogsServiceRequest.FromString(request)
    assert received.headers["x-tenant"] == "one"
    assert received.headers["user-agent"].startswith(f"jupyter-otel/{__version__}")


def test_each_signal_calls_its_own_service():
    with GrpcReceiver() as receiver:
        for signal in Signal:
            destination = open_grpc(receiver.url, signal)
            assert destination.send(b"", 0) == Sent()
            destination.close()
        signals = [received.signal for received in receiver.inbox.requests()]

    assert signals == list(Signal)


def test_a_headers_file_is_read_again_when_it_changes(logs_request, tmp_path):
    file = tmp_path / "headers"
    file.write_text("authorization=one")
    with GrpcReceiver() as receiver:
        destination = open_grpc(receiver.url, headers_file=file)
        destination.send(logs_request(), 1)
        file.write_text("authorization=number two")
        destination.send(logs_request(), 1)
        file.write_text("this is no header")
        broken = destination.send(logs_request(), 1)
        destination.send(logs_request(), 1)
        destination.close()
        sent = [r.headers["authorization"] for r in receiver.inbox.requests()]

    assert isinstance(broken, Retry)
    assert sent == ["one", "number two", "number two"]


def test_tls_is_checked_against_the_file_and_shows_a_client_certificate(
    logs_request, make_certificate
):
    server, client = make_certificate("server"), make_certificate("client")
    pem = server.read_bytes()
    credentials = grpc.ssl_server_credentials(
        [(pem, pem)], client.read_bytes(), require_client_auth=True
    )
    with GrpcReceiver(credentials=credentials) as receiver:
        verdicts = []
        for certificate in (client, server):
            destination = open_grpc(
                receiver.url,
                certificate_file=certificate,
                client_certificate_file=client,
                client_key_file=client,
            )
            verdicts.append(destination.send(logs_request(), 1))
            destination.close()

    assert receiver.url.startswith("https://")
    assert isinstance(verdicts[0], Retry)
    assert verdicts[1] == Sent()


@pytest.mark.parametrize("endpoint", ["localhost:4317", "", "grpc://host:1"])
def test_an_endpoint_without_scheme_is_a_config_error(endpoint):
    with pytest.raises(ConfigError, match="must be a URL with http:// or https://"):
        open_grpc(endpoint)


def test_without_grpc_installed_the_error_says_what_to_install():
    script = """
import sys
sys.modules["grpc"] = None
from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.tally import Signal
try:
    open_destination(Signal.LOGS, ExportSettings("otlp", "http://h:1", "grpc"))
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == (
        "ConfigError OtelExport.protocol must be one that is installed, got 'grpc'. "
        "Run pip install 'jupyter-otel[grpc]', or use http/protobuf.\n"
    )


@pytest.mark.parametrize(
    "metadata",
    [(), (("other", b"x"),), (("grpc-status-details-bin", b"\xff\xff"),)],
)
def test_details_without_retry_info_say_nothing(metadata):
    assert read_retry_info(metadata) is None
