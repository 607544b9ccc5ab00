"""What the doctor finds on the way to real receivers, and the cures it names."""

import json
import socket
import threading
from pathlib import Path

import pytest

from jupyter_otel.tally import Signal
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
