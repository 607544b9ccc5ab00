"""The books of servers that run, asked for by address or found by their files."""

import json
import subprocess
import sys

import pytest

from jupyter_otel.testing.http_receiver import HttpReceiver

LEVEL = "--OtelPolicy.level=operational"


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(LEVEL, "--OtelConsent.mode=mandatory")


@pytest.fixture
def beside(cli, server):
    """Return the command line of the account that the server belongs to."""
    cli.environment["JUPYTER_RUNTIME_DIR"] = str(server.home / "runtime")
    return cli


def test_a_server_is_found_by_its_runtime_file(beside, server):
    server.start_kernel()
    status, out, err = beside("status")
    assert (status, err) == (0, "")
    assert f"{server.url}: level operational\n" in out
    assert "SIGNAL   ACCEPTED  SENT  PENDING" in out


def test_json_has_what_the_server_says(beside, server):
    status, out, _ = beside("status", "--json")
    [answer] = json.loads(out)["servers"]
    assert (status, answer["url"], answer["error"]) == (0, server.url, None)
    assert answer["status"]["signals"]["logs"].keys() == {
        "accepted",
        "sent",
        "pending",
        "aggregated",
        "dropped",
        "refused",
    }


def test_what_does_not_get_through_is_counted_by_reason_with_its_cure(beside, server):
    server.request("GET", "api/contents")
    _, out, _ = beside("status", "--json")
    signals = json.loads(out)["servers"][0]["status"]["signals"].values()
    count = sum(books["refused"].get("level", 0) for books in signals)
    assert count > 0

    assert f"\n{count} level: Its schema is not collected" in beside("status")[1]


def test_the_url_alone_is_enough_beside_the_server(beside, server):
    assert beside("status", "--url", server.url)[0] == 0


def test_a_wrong_token_is_said_to_be(cli, server):
    status, out, _ = cli("status", "--url", server.url, "--token", "wrong")
    assert (status, out) == (
        1,
        (
            f"{server.url}: the token is not right: give --token; `jupyter server "
            "list` shows it.\n"
        ),
    )


def test_a_server_without_the_extension_is_told_apart(cli, start_server):
    other = start_server(extensions={"jupyter_otel": False, "otel_probe": False})
    token = {"JUPYTER_TOKEN": "integration-test"}
    status, out, _ = cli("status", "--url", other.url, **token)
    assert status == 1
    assert "no otel/v1/status there: the extension is not enabled." in out


def test_a_server_that_was_configured_wrongly_says_so(cli, start_server):
    server = start_server("--OtelPolicy.level=usages")
    cli.environment["JUPYTER_RUNTIME_DIR"] = str(server.home / "runtime")
    status, out, _ = cli("status")
    assert status == 0
    assert out.startswith(
        f"{server.url}: level none\n"
        "Nothing is collected until this is corrected: OtelPolicy.level must be one "
        "of none, operational, usage, audit, got 'usages'. Did you mean 'usage'?\n"
    )


def test_a_killed_servers_token_is_told_to_nobody_on_its_port(cli, tmp_path):
    with HttpReceiver() as stranger:
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        about = {"url": f"{stranger.url}/", "token": "secret", "pid": dead.pid}
        (tmp_path / f"jpserver-{dead.pid}.json").write_text(json.dumps(about))
        cli.environment["JUPYTER_RUNTIME_DIR"] = str(tmp_path)

        status, out, _ = cli("status")

        assert (status, "No Jupyter Server" in out) == (0, True)
        assert stranger.inbox.requests() == []


def test_what_waits_for_a_receiver_is_counted(cli, closed_port):
    execution = "https://events.jupyter.org/jupyter_otel/execution/v1"
    status, out, _ = cli(
        *("emit", "--OtelPolicy.level=usage", f"--schema={execution}"),
        '--data={"phase": "started"}',
        f"--OtelExport.endpoint=http://127.0.0.1:{closed_port}",
    )
    waits = "Accepted; it waits in the spool until the receiver answers.\n"
    assert (status, out) == (0, waits)
    [spool] = json.loads(cli("status", "--json")[1])["spools"]
    assert spool["pending"] == {"logs": 1}
    out = cli("status")[1]
    assert "RECORDS" in out
    assert out.endswith("1 record waits; the next server sends what waits.\n")
