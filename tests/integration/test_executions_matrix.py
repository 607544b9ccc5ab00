"""Every client of kernels, through every end that an execution can have.

Three servers for all of it: one with the clients' kernels, one whose kernels run behind
a gateway, and that gateway. The clients go through the ends at the same time, each in
a kernel of its own; both servers are stopped under the last cells. Then every cell of
the matrix is read off the records: one ``started`` and one ``finished`` an execution.
"""

import contextlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.conftest import COLLECTING, TOKEN, Server, wait_until
from tests.integration.execution_clients import (
    Attached,
    AttachedClient,
    Client,
    ConsoleClient,
    LegacyClient,
    ServerSideClient,
    WebSocketClient,
)

RUN = "import time; open({marker!r}, 'w').close(); time.sleep({s})"
FAIL = RUN.replace("{s}", "0.5") + "; {{}}['a']"
# A kernel that dies at once may not have said yet that it runs: it sends on a thread.
DIE = RUN.replace("{s}", "0.5") + "; import os; os._exit(1)"


class End(NamedTuple):
    """A way for executions to end."""

    cells: tuple[str, ...]
    act: str
    """What is done once the first cell runs; empty: nothing."""
    statuses: tuple[str, ...]


ENDS = {
    "ok": End(("1 + 1",), "", ("ok",)),
    "error": End((FAIL,), "", ("error",)),
    "abort after error": End((FAIL, "2"), "", ("error", "aborted")),
    "interrupt": End((RUN, "2"), "interrupt", ("interrupted", "aborted")),
    "disconnect": End((RUN.replace("{s}", "1") + "; 3",), "leave", ("ok",)),
    "kernel restarted": End((RUN,), "restart", ("kernel_died",)),
    "kernel killed": End((DIE, "2"), "", ("kernel_died", "kernel_died")),
    "server SIGTERM": End((RUN,), "", ("kernel_died",)),
}
LAST = "server SIGTERM"

CLIENTS = {
    "v1 WebSocket": WebSocketClient,
    "legacy WebSocket": LegacyClient,
    "gateway": LegacyClient,
    "script": AttachedClient,
    "console": ConsoleClient,
    "jupyter-server-nbmodel": ServerSideClient,
    "nbclient": AttachedClient,
    "nbconvert": AttachedClient,
    "papermill": AttachedClient,
}
ONE_BY_ONE = frozenset(
    {"console", "jupyter-server-nbmodel", "nbclient", "nbconvert", "papermill"}
)
"""They ask for a cell once the one before has ended: nothing queues at the kernel."""
QUEUE_UNSEEN = ONE_BY_ONE | {"script"}
"""Of a script's queue the kernel tells only what it runs: an aborted request looks to
all but its client as a silent one does."""

# What cannot occur, or not at a server.
IMPOSSIBLE = {
    **{(client, "abort after error"): "asks one by one" for client in ONE_BY_ONE},
    ("script", "abort after error"): "it did not run, and only its client is told",
    ("jupyter-server-nbmodel", "disconnect"): "the server itself is the client",
    # In kernels of their own they are notebook runs: see the tests of notebook_hooks.
    **{
        (client, "in a kernel of its own"): "no server that could see it"
        for client in ("nbclient", "nbconvert", "papermill")
    },
}
# Where another word is true.
OTHERWISE = {
    # Nobody but the client hears a kernel behind a gateway.
    ("gateway", "disconnect"): [{"disconnected"}],
    # Its own server interrupts it first, and this one hears of the restart last.
    ("gateway", "kernel restarted"): [{"interrupted", "kernel_died"}],
}


def cells_of(client, end):
    """Return the templates of the cells that a client asks for."""
    return ENDS[end].cells[:1] if client in QUEUE_UNSEEN else ENDS[end].cells


def true_statuses(client, end):
    """Return, for each cell, the words that are true of its end: nearly always one."""
    usual = [{status} for status in ENDS[end].statuses]
    return OTHERWISE.get((client, end), usual)[: len(cells_of(client, end))]


POSSIBLE = [
    (client, end)
    for client in CLIENTS
    for end in ENDS
    if (client, end) not in IMPOSSIBLE
]


class Play(NamedTuple):
    """One client, on its way through the ends."""

    name: str
    client: Client
    folder: Path
    """Where its kernel works."""

    def cells(self, end):
        """Return the cells as they are asked for: each one's code is in no other."""
        fill = {"marker": self._marker(end).name, "s": 60}
        return [
            f"{code.format(**fill)}  # {self.name}: {end} {number}"
            for number, code in enumerate(cells_of(self.name, end))
        ]

    def go_through(self):
        """Let its executions end in every way that leaves the server."""
        for name, end in ENDS.items():
            if name != LAST and (self.name, name) not in IMPOSSIBLE:
                self.begin(name)
                self._act(end.act)
                self._await_ends(name)

    def begin(self, end):
        """Ask for the cells; return when the first of them runs."""
        self.client.ask(*self.cells(end))
        if "{marker" in ENDS[end].cells[0]:
            wait_until(self._marker(end).exists, what=f"{self.name}: {end}, its cell")

    def _act(self, act):
        server, path = self.client.server, f"api/kernels/{self.client.kernel_id}"
        if act == "leave":
            self.client.leave()
        elif act:
            server.request("POST", f"{path}/{act}")

    def _await_ends(self, end):
        wanted = set(self.cells(end))

        def ended():
            wanted_phase = {"jupyter.event.phase": "finished"}
            logs = self.client.server.logs("jupyter_otel.execution", **wanted_phase)
            return wanted <= {log.attributes["jupyter.event.code"] for log in logs}

        wait_until(ended, what=f"{self.name}: {end}, the records of its ends")
        if end in {"kernel restarted", "kernel killed"}:
            self.client.renew()

    def _marker(self, end):
        return self.folder / f"{[*CLIENTS].index(self.name)}{[*ENDS].index(end)}"


@pytest.fixture(scope="module")
def records(start_server):
    """Return the plays, what was recorded of each cell, and what went wrong."""
    collects = (*COLLECTING, "--OtelPolicy.code=text")
    gateway = start_server(extensions={"jupyter_otel": False})
    behind = start_server(
        *collects,
        f"--GatewayClient.url={gateway.url.rstrip('/')}",
        f"--GatewayClient.auth_token={TOKEN}",
    )
    server = start_server(*collects, extensions={"jupyter_server_nbmodel": True})
    with contextlib.ExitStack() as ends:
        attached = Attached(server.home)
        ends.callback(attached.close)
        make = partial(_play, server, behind, gateway, attached)
        with ThreadPoolExecutor(len(CLIENTS)) as threads:
            plays = list(threads.map(make, CLIENTS))
            for play in plays:
                ends.callback(play.client.leave)
            faults = _all(threads, plays, Play.go_through)
            faults |= _all(threads, plays, partial(Play.begin, end=LAST))
        codes = {server: server.end(), behind: behind.end()}
        assert set(codes.values()) == {0}
    return plays, _by_code([server, behind]), faults


def _play(server: Server, behind: Server, gateway: Server, attached: Attached, name):
    of, its = (behind, gateway) if name == "gateway" else (server, server)
    further = (attached, name) if CLIENTS[name] is AttachedClient else ()
    client = CLIENTS[name](of, of.start_kernel(), *further)
    return Play(name, client, its.home / "work")


def _all(threads, plays, do):
    """Do it in all plays; return what failed in which."""
    running = {play.name: threads.submit(do, play) for play in plays}
    failures = {name: future.exception() for name, future in running.items()}
    return {name: error for name, error in failures.items() if error is not None}


def _by_code(servers):
    found = {}
    for server in servers:
        for log in server.logs("jupyter_otel.execution"):
            said = {
                key.removeprefix("jupyter.event."): value
                for key, value in log.attributes.items()
            }
            found.setdefault(said.get("code"), []).append(said)
    return found


@pytest.mark.parametrize(("client", "end"), POSSIBLE)
def test_each_execution_begins_once_and_has_its_one_true_end(records, client, end):
    plays, found, faults = records
    assert faults.get(client) is None
    [play] = [play for play in plays if play.name == client]

    ends = []
    for code in play.cells(end):
        phases = Counter(said["phase"] for said in found.get(code, []))
        assert phases == {"started": 1, "finished": 1}, code
        ends += [s["status"] for s in found[code] if s["phase"] == "finished"]
    for status, true in zip(ends, true_statuses(client, end), strict=True):
        assert status in true


def test_nothing_is_recorded_that_nobody_asked_for(records):
    plays, found, _ = records

    asked = {
        code
        for play in plays
        for client, end in POSSIBLE
        if client == play.name
        for code in play.cells(end)
    }
    assert set(found) == asked
