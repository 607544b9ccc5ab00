"""Terminals of a real server with real shells, as they are exported."""

import json

import pytest
import websocket

from tests.integration.asking import end
from tests.integration.conftest import COLLECTING, TOKEN

TERMINAL, REQUEST = "jupyter_otel.terminal", "jupyter_otel.http_request"
CANARY = "ZqTyped0Xv"
OWN_MANAGER = """
from jupyter_server_terminals.terminalmanager import TerminalManager
class Own(TerminalManager):
    name_template = "own%d"
c.TerminalsExtensionApp.terminal_manager_class = Own
"""


@pytest.fixture
def start_terminals(start_server):
    """Return what starts a server with terminals that collects them."""

    def start(*arguments, **changes):
        terminals = {"jupyter_server_terminals": True}
        return start_server(*COLLECTING, *arguments, extensions=terminals, **changes)

    return start


def opened(server):
    """Open a terminal; return its name at the server."""
    return server.request("POST", "api/terminals", {})["name"]


def typed(server, name, text):
    """Type something into a terminal and wait until its shell shows it or ends."""
    client = websocket.create_connection(
        f"{server.url.replace('http', 'ws', 1)}terminals/websocket/{name}",
        timeout=30,
        header={"Authorization": f"token {TOKEN}"},
    )
    try:
        client.send(json.dumps(["stdin", text]))
        kind, shown = "", ""
        while kind != "disconnect" and CANARY not in shown:
            kind, *content = json.loads(client.recv())
            shown += str(content)
    finally:
        client.close()


def ends(server):
    """Return the reasons of the ends that were told."""
    found = server.logs(TERMINAL, **{"jupyter.event.action": "closed"})
    return [record.attributes["jupyter.event.reason"] for record in found]


def test_a_terminal_opens_and_closes_within_the_requests_that_ask_for_it(
    start_terminals, wait_until
):
    server = start_terminals()
    server.request("DELETE", f"api/terminals/{opened(server)}")
    end(server)

    began, ended = server.logs(TERMINAL)
    assert began.attributes["jupyter.event.action"] == "opened"
    assert ended.attributes["jupyter.event.action"] == "closed"
    assert ended.attributes["jupyter.event.reason"] == "client"
    assert ended.attributes["jupyter.event.duration_ms"] > 0
    ids = {r.attributes["jupyter.event.terminal_id"] for r in (began, ended)}
    assert len(ids) == 1
    spans = [record.raw["spanId"] for record in server.logs(REQUEST)]
    assert [began.raw["spanId"], ended.raw["spanId"]] == spans


def test_a_shell_that_ends_closes_its_terminal_and_what_was_typed_stays(
    start_terminals, wait_until
):
    server = start_terminals()
    name = opened(server)
    typed(server, name, f"echo {CANARY}\r")
    typed(server, name, "exit\r")
    wait_until(lambda: ends(server) == ["exited"])
    end(server)

    exported = "".join(path.read_text() for path in server.export.iterdir())
    assert CANARY not in exported
    assert ends(server) == ["exited"]


def test_an_idle_terminal_is_culled_and_told(start_terminals, wait_until):
    server = start_terminals(
        "--TerminalManager.cull_inactive_timeout=1", "--TerminalManager.cull_interval=1"
    )
    opened(server)

    wait_until(lambda: ends(server) == ["culled"])
    assert server.request("GET", "api/terminals") == []


def test_a_server_that_stops_closes_its_terminals(start_terminals):
    server = start_terminals()
    opened(server)
    opened(server)
    assert end(server) == 0

    assert ends(server) == ["server_stopped"] * 2


def test_a_deployments_own_class_of_manager_stays_in_charge(start_terminals):
    server = start_terminals(files={"config/jupyter_server_config.py": OWN_MANAGER})
    names = [opened(server)]
    end(server)

    assert names == ["own1"]
    assert ends(server) == ["server_stopped"]


def test_without_a_yes_of_its_person_nothing_of_a_terminal_leaves(start_server):
    server = start_server(
        "--OtelPolicy.level=usage", extensions={"jupyter_server_terminals": True}
    )
    server.request("DELETE", f"api/terminals/{opened(server)}")
    end(server)

    assert server.logs(TERMINAL) == []
    assert server.spans() == []


def test_without_the_source_the_managers_class_is_the_packages_own(start_terminals):
    server = start_terminals("--OtelSources.terminals=False")
    opened(server)
    end(server)

    assert server.logs(TERMINAL) == []
