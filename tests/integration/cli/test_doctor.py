"""What the doctor finds on the way to real receivers, and the cures it names."""

import http.server
import re
import socket
import ssl
import threading

import pytest

from jupyter_otel.tally import Signal
from jupyter_otel.testing.certificates import self_signed
from jupyter_otel.testing.grpc_receiver import GrpcReceiver
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver


class OldServer(http.server.BaseHTTPRequestHandler):
    """Answers everything, and lives in 2020."""

    def do_POST(self):
        """Take a request."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_HEAD()

    def do_HEAD(self):
        """Answer without a body."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def date_time_string(self, timestamp=None):
        """Return what the ``Date`` header says."""
        return "Tue, 24 Nov 2020 06:00:00 GMT"

    def log_message(self, *_):
        """Say nothing."""


def serve(server):
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def late_receiver():
    """Serve plain HTTP on a machine whose clock is years behind."""
    for port in serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), OldServer)):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def tls_receiver(tmp_path):
    """Serve HTTPS under a certificate that signs itself; yield URL and certificate."""
    certificate = self_signed(tmp_path / "server.pem", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OldServer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for port in serve(server):
        yield f"https://localhost:{port}", certificate


@pytest.fixture
def sshd():
    """Listen with something that speaks no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"SSH-2.0-x\r\n")

        threading.Thread(target=greet, daemon=True).start()
        yield listener.getsockname()[1]


def test_out_of_the_box_nothing_fails_and_the_level_is_pointed_at(doctor, cli):
    status, found = doctor()
    assert status == 0
    assert found["configuration"] == [("ok", "no file on Jupyter's config path", "")]
    assert found["level"] == [
        (
            "warning",
            "OtelPolicy.level is none: nothing is collected",
            'Set it to collect: c.OtelPolicy.level = "operational" (or usage, audit).',
        )
    ]
    where = f"are written to {cli.export}, as no endpoint is set"
    assert found["logs"] == found["traces"] == [("ok", where, "")]
    assert found["extension"][0][0] == "ok"


def test_the_way_of_metrics_is_checked_where_they_are_asked_for(doctor):
    _, found = doctor()
    why = "neither OtelMetrics.enabled nor OTEL_METRICS_EXPORTER asks for any"
    assert found["metrics"] == [("note", why, "")]

    with HttpReceiver([Answer(), Answer()], then=Answer(404)) as receiver:
        endpoint = f"--OtelExport.endpoint={receiver.url}"
        status, found = doctor(endpoint, "--OtelMetrics.enabled=True")
    [(state, what, _)] = found["metrics"]
    assert (status, found["logs"][0][0], found["traces"][0][0]) == (1, "ok", "ok")
    url = receiver.endpoint(Signal.METRICS)
    why = "nothing listens at this path; check OtelExport.endpoint"
    assert (state, what) == ("failed", f"HTTP 404 from {url}: {why}")


def test_a_receiver_that_works_is_said_to(doctor):
    with HttpReceiver() as receiver:
        status, found = doctor(f"--OtelExport.endpoint={receiver.url}")
        name = f"{receiver.url}/v1/logs"
    assert status == 0
    assert found["logs"] == [("ok", f"{name} takes OTLP by http/protobuf", "")]
    assert receiver.inbox.records(Signal.LOGS) == []


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (401, "set OtelExport.headers or headers_file to valid credentials"),
        (404, "nothing listens at this path; check OtelExport.endpoint"),
        (415, "the receiver does not take this OtelExport.protocol"),
    ],
)
def test_a_receiver_that_refuses_is_explained(doctor, answer, what):
    with HttpReceiver(then=Answer(status=answer)) as receiver:
        status, found = doctor(f"--OtelExport.endpoint={receiver.url}")
    state, said, _ = found["logs"][0]
    assert (status, state) == (1, "failed")
    assert said.startswith(f"HTTP {answer} from {receiver.url}/v1/logs: {what}")


def test_a_port_where_nobody_listens_is_named(doctor, closed_port):
    status, found = doctor(f"--OtelExport.endpoint=http://127.0.0.1:{closed_port}")
    assert status == 1
    assert found["logs"] == [
        (
            "failed",
            f"no connection to 127.0.0.1 port {closed_port} (Connection refused)",
            found["logs"][0][2],
        )
    ]


def test_a_host_that_has_no_address_is_named(doctor):
    status, found = doctor("--OtelExport.endpoint=http://nowhere.invalid:4318")
    state, what, cure = found["logs"][0]
    assert (status, state) == (1, "failed")
    assert what.startswith("no address for the host nowhere.invalid (")
    assert cure == "Correct the host in OtelExport.endpoint, or this machine's DNS."


def test_tls_where_none_is_spoken_is_explained(doctor):
    with HttpReceiver() as receiver:
        url = receiver.url.replace("http:", "https:")
        status, found = doctor(f"--OtelExport.endpoint={url}")
    state, what, cure = found["logs"][0]
    assert (status, state) == (1, "failed")
    assert what.startswith(f"no TLS with 127.0.0.1 port {receiver.port} (")
    assert cure == (
        "If the receiver speaks plain HTTP there, write http:// in the endpoint."
    )


def test_a_certificate_that_is_none_is_named(doctor, cli, closed_port):
    file = cli.write("ca.pem", "no certificate")
    status, found = doctor(
        f"--OtelExport.endpoint=https://127.0.0.1:{closed_port}",
        f"--OtelExport.certificate_file={file}",
    )
    assert status == 1
    assert found["logs"] == [
        (
            "failed",
            (
                "OtelExport.certificate_file must hold PEM certificates that can be "
                f"loaded, got {file!r} (SSLError). Check that it is PEM, with BEGIN "
                "CERTIFICATE lines."
            ),
            "",
        )
    ]


def test_a_receiver_whose_certificate_is_trusted_is_reached(doctor, cli, tls_receiver):
    url, certificate = tls_receiver
    status, found = doctor(f"--OtelExport.endpoint={url}")
    assert status == 1
    assert found["logs"][0] == (
        "failed",
        "the certificate of localhost is not trusted (self-signed certificate)",
        "Name the authority's PEM file in OtelExport.certificate_file.",
    )
    status, found = doctor(
        f"--OtelExport.endpoint={url}",
        f"--OtelExport.certificate_file={certificate}",
    )
    assert (status, found["logs"][0][0]) == (0, "ok")


def test_a_receiver_over_grpc_is_reached(doctor):
    with GrpcReceiver() as receiver:
        status, found = doctor(
            f"--OtelExport.endpoint={receiver.url}", "--OtelExport.protocol=grpc"
        )
    assert status == 0
    assert found["logs"] == [("ok", f"{receiver.url} takes OTLP by grpc", "")]


def test_clocks_that_disagree_are_warned_of(doctor, late_receiver):
    status, found = doctor(f"--OtelExport.endpoint={late_receiver}")
    state, what, cure = found["clock"][0]
    assert (status, state) == (0, "warning")
    assert re.fullmatch(r"this machine is [0-9]+ s ahead of 127.0.0.1", what)
    assert cure == "Set the clocks by NTP: records are ordered by time."


def test_something_that_is_no_receiver_is_found_out(doctor, sshd):
    status, found = doctor(f"--OtelExport.endpoint=http://127.0.0.1:{sshd}")
    assert status == 1
    assert [state for state, _, _ in found["logs"]] == ["failed"]


def test_ports_and_paths_that_are_probably_wrong_are_warned_of(doctor, closed_port):
    url = f"http://127.0.0.1:{closed_port}/v1/logs"
    _, found = doctor(f"--OtelExport.endpoint={url}")
    assert found["logs"][0] == (
        "warning",
        (
            "OtelExport.endpoint ends with /v1/logs, and /v1/logs, /v1/traces or "
            f"/v1/metrics is added to it. Set it to http://127.0.0.1:{closed_port}."
        ),
        "",
    )


def test_every_bad_setting_is_a_failure_of_its_own(doctor):
    status, found = doctor("--OtelPolicy.levle=a", "--OtelExport.endpoint=a:1")
    assert status == 1
    assert [state for state, _, _ in found["configuration"]] == ["ok", *["failed"] * 2]


def test_bad_variables_are_warnings_and_no_value_is_shown(doctor):
    status, found = doctor(OTEL_EXPORTER_OTLP_HEADERS="s3cret")
    assert status == 0
    assert found["configuration"][1] == (
        "note",
        "also set: OTEL_EXPORTER_OTLP_HEADERS",
        "",
    )
    assert found["logs"][0][0] == "warning"
    assert "s3cret" not in str(found)


def test_what_holds_for_both_signals_is_said_once(doctor, late_receiver):
    _, found = doctor(
        f"--OtelExport.endpoint={late_receiver}", OTEL_EXPORTER_OTLP_TIMEOUT="soon"
    )
    assert [state for state, _, _ in found["logs"]] == ["warning", "ok"]
    assert [state for state, _, _ in found["traces"]] == ["ok"]
    assert len(found["clock"]) == 1


def test_a_variable_that_was_ignored_is_why_records_go_to_files(doctor, cli):
    _, found = doctor(OTEL_EXPORTER_OTLP_ENDPOINT="localhost:4318")
    where = (
        f"are written to {cli.export}, as OTEL_EXPORTER_OTLP_ENDPOINT cannot be used"
    )
    assert found["logs"][1] == found["traces"][0] == ("ok", where, "")


def test_an_endpoint_of_one_signal_is_named_as_it_was_set(doctor):
    with HttpReceiver(then=Answer(status=404)) as receiver:
        url = f"{receiver.url}/v1/logs"
        _, found = doctor(f"--OtelExport.logs_endpoint={url}")
    assert [what for _, what, _ in found["logs"]] == [
        (
            f"HTTP 404 from {url}: nothing listens at this path; check "
            "OtelExport.logs_endpoint"
        ),
    ]


@pytest.fixture
def usual_ports():
    """Listen on 4317 and 4318 of an address that nobody else uses."""
    address = "127.0.43.18"
    try:
        with (
            socket.create_server((address, 4317)),
            socket.create_server((address, 4318)),
        ):
            yield address
    except OSError as error:
        pytest.skip(f"no second loopback address here: {error}")


@pytest.mark.parametrize(
    ("protocol", "port"), [("http/protobuf", 4318), ("http/json", 4318), ("grpc", 4317)]
)
def test_the_usual_port_of_the_same_protocol_is_proposed_first(
    doctor, usual_ports, closed_port, protocol, port
):
    _, found = doctor(
        f"--OtelExport.endpoint=http://{usual_ports}:{closed_port}",
        f"--OtelExport.protocol={protocol}",
    )
    assert found["logs"][0][2] == (
        f"Something listens on port {port}: write that port in OtelExport.endpoint."
    )
