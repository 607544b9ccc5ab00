"""What a trivial cell costs a Jupyter Server with us: beside the plain server.

    python benchmarks/executions.py [ROUNDS]

Two real servers run side by side, each with a kernel and a client on its v1 WebSocket.
They take turns at a batch of cells that do nothing, so that the ratios of one run are
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
from operator import sub
from pathlib import Path
from statistics import median

import host
import psutil
import websocket
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from sink import running_sink

CELLS = 100
WARM_UP = 30
V1 = "v1.kernel.websocket.jupyter.org"
PLAIN = host.Case(host.PLAIN, (), "")
OURS = host.Case(
    "collects everything",
    (
        "--OtelPolicy.level=audit",
        "--OtelConsent.mode=mandatory",
        "--OtelPolicy.code=text",
        "--OtelSources.datasets=True",
    ),
    "up",
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
    """Let the servers take turns, so many times; print the CPU and its ratio."""
    with (
        running_sink() as endpoint,
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
    ):
        receiver = endpoint.removesuffix("/v1/logs")
        servers = [
            host.Server(PLAIN, receiver, Path(one)),
            host.Server(OURS, receiver, Path(other)),
        ]
        try:
            clients = [Cells(server) for server in servers]
            for client in clients:
                client.cpu_us(WARM_UP)
            turns = [[c.cpu_us(CELLS) for c in clients] for _ in range(rounds)]
            for client in clients:
                client.close()
        finally:
            for server in servers:
                server.kill()
    print(f"| CPU a cell, {rounds} turns | plain | {OURS.name} | ratio | of minima |")
    print("|---|---|---|---|---|")
    for which, name in enumerate(("loop", "all")):
        plain = [without[which] for without, _ in turns]
        ours = [with_us[which] for _, with_us in turns]
        ratio = median(ours) / median(plain)
        print(
            f"| {name} | {median(plain):.0f} µs | {median(ours):.0f} µs "
            f"| {ratio:.2f} | {min(ours) / min(plain):.2f} |"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
