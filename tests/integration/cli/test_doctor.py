"""What the doctor finds on the way to real receivers, and the cures it names."""

import datetime as dt
import http.server
import json
import re
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jupyter_otel.tally import Signal
from jupyter_otel.testing.grpc_receiver import GrpcReceiver
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver


class Doctor:
    """Runs ``jupyter otel doctor`` and remembers what it found."""

    def __init__(self, cli) -> None:
        self.cli = cli

    def __call__(self, *arguments, **environment):
        """Return the exit status, and the findings by check."""
        status, out, err = self.cli("doctor", "--json", *arguments, **environment)
        assert err == ""
        found = {}
        for finding in json.loads(out):
            found.setdefault(finding["check"], []).append(
                (finding["state"], finding["what"], finding["cure"])
            )
        return status, found


@pytest.fixture
def doctor(cli):
    return Doctor(cli)


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
    certificate = self_signed(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OldServer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for port in serve(server):
        yield f"https://localhost:{port}", certificate


def self_signed(path):
    """Write a key and a certificate for ``localhost``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(pem, private, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path


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
    state, what, _ = found["logs"][0]
    assert (status, state) == (1, "failed")
    assert what.startswith(
        "OtelExport.certificate_file must hold PEM certificates that can be loaded, "
        "got "
    )


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


def test_an_overlay_that_cannot_be_used_is_a_failure(doctor, cli):
    overlay = cli.write("overlay.yaml", "schemas: {x: {level: some}}")
    status, found = doctor(f"--OtelPolicy.files={overlay}")
    [(state, what, _)] = found["schemas"]
    assert (status, state) == (1, "failed")
    assert overlay in what


def test_an_included_id_that_nobody_has_is_warned_of(doctor):
    _, found = doctor("--OtelPolicy.include=https://example.org/x")
    assert found["schemas"][1][:2] == (
        "warning",
        "OtelPolicy.include names 'https://example.org/x', which no known schema has",
    )


def test_what_listening_to_the_bus_changes_is_said(doctor):
    assert "sources" not in doctor()[1]
    _, found = doctor("--OtelPolicy.level=usage", "--OtelSources.executions=False")
    off, bus = found["sources"]
    assert off == (
        "note",
        "OtelSources.executions is False: nothing is recorded of them",
        "",
    )
    assert bus[2] == "If one breaks: c.OtelSources.jupyter_events = False."


def test_a_key_that_is_too_short_or_open_to_others_is_found(doctor, cli):
    key = cli.write("key", "short")
    setting = f"--OtelRedaction.hash_key_file={key}"
    status, found = doctor(setting)
    assert status == 1
    assert found["hash key"][0][:2] == (
        "failed",
        f"{key} holds 5 bytes, a key at least 32",
    )
    cli.write("key", "k" * 32)
    Path(key).chmod(0o644)
    status, found = doctor(setting)
    assert status == 0
    assert found["hash key"][0][0] == "warning"


def test_the_extension_that_is_turned_off_is_found(doctor, cli):
    extensions = {"ServerApp": {"jpserver_extensions": {"jupyter_otel": False}}}
    cli.write("config/jupyter_server_config.json", extensions)
    assert doctor()[1]["extension"] == [
        (
            "warning",
            "the server extension is turned off",
            "Run: jupyter server extension enable jupyter_otel",
        )
    ]


def test_one_record_is_proved_end_to_end(doctor):
    with HttpReceiver() as receiver:
        status, found = doctor("--send", f"--OtelExport.endpoint={receiver.url}")
        [record] = receiver.inbox.records(Signal.LOGS)
    assert (status, found["send"][0][0]) == (0, "ok")
    assert record.event_name == "jupyter_otel.doctor"


def test_a_record_that_is_refused_is_a_failure(doctor):
    with HttpReceiver(then=Answer(status=403)) as receiver:
        endpoint = f"--OtelExport.endpoint={receiver.url}"
        status, out, _ = doctor.cli("doctor", "--send", "--json", endpoint)
    last = json.loads(out)[-1]
    assert (status, last["check"], last["state"]) == (1, "send", "failed")
    assert last["what"].startswith("the test record did not arrive: rejected (HTTP 403")
