"""What a trivial cell costs a Jupyter Server with us: beside the plain server.

    python benchmarks/executions.py [ROUNDS]

Real servers run side by side, each with a kernel and a client on its v1 WebSocket. They
take turns at a batch of cells that do nothing, so that the ratios of one run are
worth something: nothing else is. ``loop`` is the CPU of the thread that serves people,
``all`` that of the whole process. Records are stored ten times a second and sent twice,
however few there are: that costs the more a cell, the fewer cells come.
"""

import json
import select
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from operator import sub
from pathlib import Path
from statistics import median
from typing import TypeAlias

import host
import psutil
import websocket
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from sink import running_sink

CELLS = 200
WARM_UP = 30
LOOP, ALL = range(2)
"""Of what a client measures: the thread that serves people, the whole process."""
Turns: TypeAlias = Sequence[Sequence[tuple[float, float]]]
V1 = "v1.kernel.websocket.jupyter.org"
_MANDATORY = "--OtelConsent.mode=mandatory"
CASES = (
    host.Case(host.PLAIN, (), ""),
    host.Case("level usage", ("--OtelPolicy.level=usage", _MANDATORY), "up"),
    host.Case(
        "everything",
        (
            "--OtelPolicy.level=audit",
            _MANDATORY,
            "--OtelPolicy.code=text",
            "--OtelSources.datasets=True",
        ),
        "up",
    ),
)


class Cells:
    """A client that asks for trivial cells, one after another."""

    def __init__(self, server: host.Server) -> None:
        self._process = psutil.Process(server.pid)
        url = f"{server.url}api/kernels"
        kernel = self._request(url, b'{"name": "python3"}')
        self._session = Session()
        self._socket = websocket.create_connection(
            f"{url.replace('http', 'ws', 1)}/{kernel['id']}/channels"
            f"?session_id={self._session.session}",
            timeout=30,
            subprotocols=[V1],
            sockopt=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def cpu_us(self, cells: int) -> tuple[float, float]:
        """Return the CPU of loop and process for one cell, as a mean of so many."""
        before_s = self._cpu_s()
        for _ in range(cells):
            self._run()
        loop_s, all_s = map(sub, self._cpu_s(), before_s)
        return loop_s / cells * 1e6, all_s / cells * 1e6

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _cpu_s(self) -> tuple[float, float]:
        threads = {t.id: t.user_time + t.system_time for t in self._process.threads()}
        return threads[self._process.pid], sum(threads.values())

    def _run(self) -> None:
        content = {"code": "1", "silent": False, "store_history": True}
        msg = self._session.msg("execute_request", content)
        names = ("header", "parent_header", "metadata", "content")
        parts = [self._session.pack(msg[name]) for name in names]
        self._socket.send_binary(serialize_msg_to_ws_v1(parts, "shell"))
        awaited = {b'"execute_reply"', b'"idle"'}
        while awaited:
            # Or the server's next word waits for an answer to the last one.
            self._socket.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            select.select([self._socket.sock], [], [], 30)
            said = self._socket.recv()
            if msg["msg_id"].encode() in said:
                awaited -= {word for word in awaited if word in said}

    @staticmethod
    def _request(url: str, body: bytes) -> dict[str, str]:
        with urllib.request.urlopen(url, data=body, timeout=30) as answer:  # noqa: S310
            read: dict[str, str] = json.loads(answer.read())
            return read


def main(rounds: int = 5) -> None:
    """Let the servers take turns, so many times; print the CPU and its ratios."""
    with running_sink() as endpoint, ExitStack() as ends:
        receiver = endpoint.removesuffix("/v1/logs")
        clients = []
        for case in CASES:
            home = Path(ends.enter_context(tempfile.TemporaryDirectory()))
            server = host.Server(case, receiver, home)
            ends.callback(server.kill)
            clients.append(Cells(server))
            ends.callback(clients[-1].close)
        for client in clients:
            client.cpu_us(WARM_UP)
        turns = [[client.cpu_us(CELLS) for client in clients] for _ in range(rounds)]
    print(f"| µs a cell, {rounds} turns | loop | ratio | all | ratio | of minima |")
    print("|---|---|---|---|---|---|")
    for number, case in enumerate(CASES):
        loop, process = (_column(turns, number, which) for which in (LOOP, ALL))
        print(f"| {case.name} | {loop} | {process} |")


def _column(turns: Turns, case: int, which: int) -> str:
    """Return the cells of the table for one server and one figure."""
    ours = [turn[case][which] for turn in turns]
    plain = [turn[0][which] for turn in turns]
    text = f"{median(ours):.0f} | {median(ours) / median(plain):.2f}"
    return text if which == LOOP else f"{text} | {min(ours) / min(plain):.2f}"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
