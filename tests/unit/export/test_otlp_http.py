import gzip
import os
import socket
import subprocess
import sys
import threading

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from jupyter_otel._version import __version__
from jupyter_otel.errors import ConfigError
from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Rejected, Retry, Sent
from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver

LOGS = Signal.LOGS


@pytest.fixture
def send(logs_request):
    """Send one request to a receiver that gives one answer; return the verdict."""

    def send_to(answer, records=1, **settings):
        with HttpReceiver([answer]) as receiver:
            destination = open_http(receiver, **settings)
            verdict = destination.send(logs_request(), records)
            destination.close()
            why = getattr(verdict, "why", "").replace(destination.name, "URL")
        return verdict._replace(why=why) if why else verdict

    return send_to


def open_http(receiver, signal=LOGS, **settings):
    return open_destination(
        signal, ExportSettings("otlp", endpoint=receiver.endpoint(signal), **settings)
    )


def partial_success(rejected, message=""):
    response = ExportLogsServiceResponse()
    response.partial_success.rejected_log_records = rejected
    response.partial_success.error_message = message
    return response.SerializeToString()


PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Answer(), Sent()),
        (Answer(202), Sent()),
        (Answer(200, PROTOBUF, b"\xff\xff not protobuf"), Sent()),
        (Answer(200, JSON, b"{not json"), Sent()),
        (Answer(200, {"Content-Type": "text/html"}, b"hello"), Sent()),
        (Answer(200, PROTOBUF, partial_success(2, "two bad")), Sent(2, "two bad")),
        (Answer(200, PROTOBUF, partial_success(99)), Sent(5)),
        (Answer(200, PROTOBUF, partial_success(-1)), Sent(0)),
        (
            Answer(
                200,
                {"Content-Type": "application/json; charset=utf-8"},
                b'{"partialSuccess": {"rejectedLogRecords": "3", "new": 1}}',
            ),
            Sent(3),
        ),
        (
            Answer(
                200,
                PROTOBUF | {"Content-Encoding": "gzip"},
                gzip.compress(partial_success(1)),
            ),
            Sent(1),
        ),
    ],
)
def test_a_success_is_sent_whatever_its_body_and_partial_success_is_read(
    send, answer, verdict
):
    assert send(answer, records=5) == verdict


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_the_statuses_that_otlp_lets_retry_are_retried(send, status):
    assert send(Answer(status)) == Retry(None, f"HTTP {status} from URL")


@pytest.mark.parametrize(
    "status", [301, 302, 307, 308, 402, 405, 409, 422, 500, 501, 505, 599]
)
def test_every_other_status_is_permanent_and_no_redirect_is_followed(send, status):
    answer = Answer(status, {"Location": "http://127.0.0.1:9/v1/logs"})

    assert send(answer) == Rejected(f"HTTP {status} from URL")


@pytest.mark.parametrize("status", [400, 413])
def test_what_one_record_may_have_caused_can_be_split(send, status):
    verdict = send(Answer(status))

    assert (type(verdict), verdict.split) == (Rejected, True)


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("hold", [False, True])
def test_an_authentication_error_is_permanent_unless_data_is_to_be_held(
    send, status, hold
):
    verdict = send(Answer(status), hold_on_auth_error=hold)

    assert isinstance(verdict, Retry if hold else Rejected)
    assert verdict.why.startswith(f"HTTP {status} from URL: ")


def test_retry_after_is_read(send):
    assert send(Answer(503, {"Retry-After": "7"})) == Retry(7.0, "HTTP 503 from URL")


def test_a_receiver_that_hangs_up_is_retried(send):
    assert send(Answer(hang_up=True)) == Retry(
        None,
        "no answer from URL (RemoteDisconnected): "
        "the receiver closed the connection: its own log says why",
    )


def test_a_receiver_that_is_not_there_is_retried(logs_request):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1/logs"
    destination = open_destination(LOGS, ExportSettings("otlp", endpoint=url))

    assert destination.send(logs_request(), 1) == Retry(
        None,
        f"no answer from {url} (Connection refused): "
        "check that a receiver listens at OtelExport.endpoint",
    )


def test_a_receiver_that_is_silent_is_retried_after_the_timeout(logs_request):
    answer_now = threading.Event()
    with HttpReceiver([Answer(wait_for=answer_now)]) as receiver:
        destination = open_http(receiver, timeout_s=0.1)
        verdict = destination.send(logs_request(), 1)
        answer_now.set()

    assert verdict == Retry(
        None,
        f"no answer from {destination.name} (TimeoutError): "
        "look at the receiver's load, or raise OtelExport.timeout_s",
    )


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_what_arrives_is_what_was_sent(logs_request, protocol, compression):
    request = logs_request("one", "zwei ü 🪐")
    with HttpReceiver() as receiver:
        destination = open_http(receiver, protocol=protocol, compression=compression)
        verdict = destination.send(request, 2)
        (received,) = receiver.inbox.requests()

    assert verdict == Sent()
    assert received.message == ExportLogsServiceRequest.FromString(request)
    sent = {
        name: value
        for name, value in received.headers.items()
        if name in {"content-type", "content-encoding", "user-agent"}
    }
    kind = "x-protobuf" if protocol == "http/protobuf" else "json"
    assert sent == {
        "content-type": f"application/{kind}",
        "user-agent": f"jupyter-otel/{__version__}",
    } | ({} if compression == "none" else {"content-encoding": compression})


def test_headers_come_from_settings_then_from_the_file(logs_request, tmp_path):
    file = tmp_path / "headers"
    file.write_text("# token\nauthorization=Bearer b=c:d\n\nX-Tenant: two\n")
    with HttpReceiver() as receiver:
        destination = open_http(
            receiver, headers={"X-Tenant": "one", "X-Own": "é"}, headers_file=file
        )
        destination.send(logs_request(), 1)
        (received,) = receiver.inbox.requests()

    assert [received.headers[n] for n in ("authorization", "x-tenant", "x-own")] == [
        "Bearer b=c:d",
        "two",
        "é",
    ]


def test_a_headers_file_is_read_again_when_it_changes(logs_request, tmp_path):
    file = tmp_path / "headers"
    file.write_text("authorization=one")
    with HttpReceiver() as receiver:
        destination = open_http(receiver, headers_file=file)
        destination.send(logs_request(), 1)
        file.write_text("authorization=number two")
        destination.send(logs_request(), 1)
        file.write_text("this is no header")
        broken = destination.send(logs_request(), 1)
        destination.send(logs_request(), 1)
        sent = [r.headers["authorization"] for r in receiver.inbox.requests()]

    assert isinstance(broken, Retry)
    assert sent == ["one", "number two", "number two"]


def test_netrc_is_not_read_and_a_user_in_the_url_is(
    logs_request, tmp_path, monkeypatch
):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with HttpReceiver() as receiver:
        open_http(receiver).send(logs_request(), 1)
        url = receiver.endpoint(LOGS).replace("http://", "http://ada:p%40ss@")
        destination = open_destination(LOGS, ExportSettings("otlp", endpoint=url))
        destination.send(logs_request(), 1)
        first, second = receiver.inbox.requests()

    assert "authorization" not in first.headers
    assert second.headers["authorization"] == "Basic YWRhOnBAc3M="
    assert destination.name == receiver.endpoint(LOGS)


def test_a_proxy_from_the_environment_is_used(logs_request, monkeypatch):
    with HttpReceiver() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        settings = ExportSettings("otlp", endpoint="http://receiver.invalid/v1/logs")
        verdict = open_destination(LOGS, settings).send(logs_request(), 1)
        (received,) = proxy.inbox.requests()

    assert verdict == Sent()
    assert received.headers["host"] == "receiver.invalid"


@pytest.mark.parametrize(
    "endpoint",
    [
        "localhost:4318",
        "",
        "ftp://host/v1",
        "http://",
        "http://host:port",
        "http://[::",
    ],
)
def test_an_endpoint_that_is_no_url_is_a_config_error(endpoint):
    with pytest.raises(ConfigError) as caught:
        open_destination(LOGS, ExportSettings("otlp", endpoint=endpoint))

    assert str(caught.value) == (
        "OtelExport.endpoint must be a URL with http:// or https:// and a host, "
        f"got {endpoint!r}. Write it like http://localhost:4318."
    )


@pytest.mark.parametrize(
    "name",
    ["certificate_file", "client_certificate_file", "client_key_file", "headers_file"],
)
def test_a_file_that_cannot_be_read_is_a_config_error(name, tmp_path):
    settings = {name: tmp_path / "missing"}

    with pytest.raises(ConfigError, match=rf"OtelExport\.{name} must be a file") as e:
        open_destination(LOGS, ExportSettings("otlp", "http://h:1/v1/logs", **settings))
    assert str(tmp_path / "missing") in str(e.value)


def test_a_certificate_that_is_none_is_a_config_error(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")

    with pytest.raises(ConfigError, match="certificate_file must hold PEM"):
        open_destination(
            LOGS,
            ExportSettings("otlp", "https://h:1/v1/logs", certificate_file=file),
        )


def test_a_header_that_cannot_be_sent_is_a_config_error_without_its_value():
    for headers in ({"a b": "secret"}, {"a": "secret\nvalue"}):
        with pytest.raises(ConfigError) as caught:
            open_destination(
                LOGS, ExportSettings("otlp", "http://h:1/v1/logs", headers=headers)
            )
        assert "secret" not in str(caught.value)


@pytest.fixture
def certificate(make_certificate):
    return make_certificate("server")


def test_a_receivers_certificate_is_checked_against_the_file(
    certificate, make_certificate, receiver_context, tmp_path, logs_request
):
    other = make_certificate("other")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(other.read_bytes())
    with HttpReceiver(tls=receiver_context(certificate)) as receiver:
        url = receiver.endpoint(LOGS)
        destination = open_destination(
            LOGS, ExportSettings("otlp", endpoint=url, certificate_file=ca)
        )
        wrong = destination.send(logs_request(), 1)
        ca.write_bytes(certificate.read_bytes())
        os.utime(ca, (1, 1))
        renewed = destination.send(logs_request(), 1)

    assert isinstance(wrong, Retry)
    assert "certificate verify failed" in wrong.why
    assert wrong.why.endswith(
        "set OtelExport.certificate_file to the authority that signed it"
    )
    assert renewed == Sent()


def test_a_client_certificate_is_shown(
    certificate, make_certificate, receiver_context, logs_request
):
    client = make_certificate("client")
    with HttpReceiver(tls=receiver_context(certificate, client)) as receiver:
        destination = open_destination(
            LOGS,
            ExportSettings(
                "otlp",
                endpoint=receiver.endpoint(LOGS),
                certificate_file=certificate,
                client_certificate_file=client,
            ),
        )
        verdict = destination.send(logs_request(), 1)

    assert verdict == Sent()


def test_a_proxy_that_is_not_there_is_named(logs_request, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    settings = ExportSettings("otlp", endpoint="http://receiver.invalid/v1/logs")

    assert open_destination(LOGS, settings).send(logs_request(), 1) == Retry(
        None,
        "no answer from http://receiver.invalid/v1/logs (Connection refused): "
        "check the proxy in HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
    )


def test_plain_http_where_tls_is_expected_says_so(logs_request):
    with HttpReceiver() as receiver:
        url = receiver.endpoint(LOGS).replace("http:", "https:")
        destination = open_destination(LOGS, ExportSettings("otlp", endpoint=url))
        verdict = destination.send(logs_request(), 1)

    assert isinstance(verdict, Retry)
    assert verdict.why.endswith(
        "check that the receiver speaks TLS, and its certificates"
    )


def test_requests_is_not_imported_before_there_is_something_to_send():
    script = """
import sys
from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.tally import Signal
open_destination(Signal.LOGS, ExportSettings("otlp", "http://127.0.0.1:1/v1/logs"))
print([name for name in ("requests", "google.protobuf", "grpc") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
