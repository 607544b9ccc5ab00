# ruff: noqa: D102 - what the helpers of tests do is in their names
"""Real Jupyter servers in processes of their own, and clients of theirs.

Every server has its own home, data and runtime directory, listens on the loopback
interface at a free port and is ended by its process id.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import websocket
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

V1 = "v1.kernel.websocket.jupyter.org"
TOKEN = "integration-test"  # noqa: S105 - of a server that lives for seconds
PROBE = Path(__file__).parent / "probe"
EXTENSIONS = {
    "jupyter_otel": True,
    "otel_probe": True,
    "jupyter_lsp": False,
    "jupyter_collaboration": False,
    "jupyter_server_fileid": False,
    "jupyter_server_nbmodel": False,
    "jupyter_server_terminals": False,
    "jupyter_server_ydoc": False,
    "jupyterlab": False,
    "notebook": False,
    "notebook_shim": False,
}
COLLECTING = ("--OtelPolicy.level=audit", "--OtelConsent.mode=mandatory")
_DEADLINE_S = 40.0


def wait_until(get, is_enough=bool, what="what is waited for"):
    """Return the first value that is enough; fail if there is none in time."""
    deadline = time.monotonic() + _DEADLINE_S
    while not is_enough(value := get()):
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come; at last: {value}")
        time.sleep(0.05)
    return value


class Record(NamedTuple):
    """One log record or span, as the embedded default wrote it."""

    name: str
    attributes: dict[str, Any]
    raw: dict[str, Any]


def value_of(any_value):
    """Return the value in an OTLP/JSON AnyValue."""
    [(kind, value)] = any_value.items()
    if kind == "intValue":
        return int(value)
    if kind == "arrayValue":
        return [value_of(item) for item in value.get("values", [])]
    return value


def attributes_of(record):
    return {a["key"]: value_of(a["value"]) for a in record.get("attributes", [])}


class Server:
    """A running Jupyter Server."""

    def __init__(self, home: Path, process: subprocess.Popen[bytes]) -> None:
        self.home, self.process = home, process
        self.export = home / "data" / "jupyter_otel" / "export"
        self.url = ""

    def await_start(self) -> "Server":
        info = self.home / "runtime" / f"jpserver-{self.process.pid}.json"
        wait_until(
            lambda: info.exists() or self.process.poll() is not None,
            what="the server's start",
        )
        assert self.process.poll() is None, self.log
        self.url = wait_until(lambda: json.loads(info.read_text() or "{}"))["url"]
        wait_until(lambda: self.answers("api/status"))
        return self

    @property
    def log(self) -> str:
        return (self.home / "log.txt").read_text()

    def request(self, method, path, body=None, token=TOKEN):
        request = urllib.request.Request(  # noqa: S310 - the URL is the server's own
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {token}"} if token else {},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            text = answer.read()
            return json.loads(text) if text else None

    def answers(self, path) -> bool:
        try:
            self.request("GET", path)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def status(self):
        return self.request("GET", "otel/v1/status")

    def probe(self):
        return self.request("GET", "probe")

    def start_kernel(self) -> str:
        return self.request("POST", "api/kernels", {"name": "python3"})["id"]

    def start_session(self, path) -> str:
        session = {
            "path": path,
            "name": path,
            "type": "notebook",
            "kernel": {"name": "python3"},
        }
        return self.request("POST", "api/sessions", session)["kernel"]["id"]

    def logs(self, name=None, **attributes) -> list[Record]:
        found = self._read("logs.jsonl", "resourceLogs", "scopeLogs", "logRecords")
        records = [Record(r.get("eventName", ""), attributes_of(r), r) for r in found]
        return _matching(records, name, attributes)

    def spans(self, name=None, **attributes) -> list[Record]:
        found = self._read("traces.jsonl", "resourceSpans", "scopeSpans", "spans")
        records = [Record(r["name"], attributes_of(r), r) for r in found]
        return _matching(records, name, attributes)

    def _read(self, file, by_resource, by_scope, items):
        path = self.export / file
        # The last line may be half written: what has its end is read.
        text = path.read_text() if path.exists() else ""
        lines = text[: text.rfind("\n") + 1].splitlines()
        return [
            record
            for line in lines
            for resource in json.loads(line)[by_resource]
            for scope in resource[by_scope]
            for record in scope[items]
        ]

    def executions(self, kernel_id, phase="finished", count=1) -> list[Record]:
        """Return a kernel's executions, once there are as many."""
        wanted = {"jupyter.kernel.id": kernel_id, "jupyter.event.phase": phase}
        return wait_until(
            lambda: self.logs("jupyter_otel.execution", **wanted),
            lambda records: len(records) >= count,
            f"{count} {phase} executions",
        )

    def end(self, number=signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            pytest.fail(f"the server did not end by itself:\n{self.log}")


def _matching(records, name, attributes):
    return [
        record
        for record in records
        if name in (None, record.name)
        and attributes.items() <= record.attributes.items()
    ]


class KernelClient:
    """A client of one kernel over the server's WebSocket, in either wire protocol."""

    def __init__(
        self,
        server: Server,
        kernel_id: str,
        protocol: str | None = V1,
        token: str = TOKEN,
    ):
        self.session = Session()
        self.kernel_id, self.protocol = kernel_id, protocol
        self.deadline = time.monotonic() + 2 * _DEADLINE_S
        url = server.url.replace("http", "ws", 1)
        self.socket = websocket.create_connection(
            f"{url}api/kernels/{kernel_id}/channels?session_id={self.session.session}",
            timeout=30,
            subprotocols=[protocol] if protocol else None,
            header={"Authorization": f"token {token}"},
        )

    def send(self, code, metadata=None, **content) -> str:
        """Ask for an execution; return the message's id."""
        msg = self.session.msg(
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
                **content,
            },
            metadata=metadata or {},
        )
        if self.protocol == V1:
            names = ("header", "parent_header", "metadata", "content")
            parts = [self.session.pack(msg[name]) for name in names]
            self.socket.send_binary(serialize_msg_to_ws_v1(parts, "shell"))
        else:
            self.socket.send(self.session.pack({**msg, "channel": "shell"}).decode())
        return msg["msg_id"]

    def receive(self):
        """Return the next message as type, id of its request, content.

        The server's pings would keep a plain `recv` waiting for ever.
        """
        ready, _, _ = select.select([self.socket.sock], [], [], _DEADLINE_S)
        assert ready, "the server sent nothing"
        assert time.monotonic() < self.deadline, "the kernel's message did not come"
        data = self.socket.recv()
        if self.protocol == V1:
            _, parts = deserialize_msg_from_ws_v1(data)
            header, parent, _, content = map(json.loads, parts[:4])
            return header["msg_type"], parent.get("msg_id"), content
        msg = json.loads(data)
        return (
            msg["header"]["msg_type"],
            msg["parent_header"].get("msg_id"),
            msg["content"],
        )

    def wait_for(self, msg_id, is_wanted):
        """Return everything about a request up to the message that is wanted."""
        seen = []
        while not (seen and is_wanted(*seen[-1])):
            kind, parent_id, content = self.receive()
            if parent_id == msg_id:
                seen.append((kind, content))
        return seen

    def await_busy(self, msg_id):
        self.wait_for(msg_id, lambda kind, _: kind == "execute_input")

    def await_reply(self, msg_id):
        """Return the reply's content and the text that was printed before it."""
        seen = self.wait_for(msg_id, lambda kind, _: kind == "execute_reply")
        text = "".join(c["text"] for kind, c in seen if kind == "stream")
        return seen[-1][1], text

    def run(self, code, metadata=None):
        """Run code to its end; return what it printed.

        Reply and idle message come over two sockets: either may be the first.
        """
        msg_id = self.send(code, metadata)
        awaited = {"execute_reply", "idle"}
        text = ""
        while awaited:
            kind, parent_id, content = self.receive()
            if parent_id != msg_id:
                continue
            text += content["text"] if kind == "stream" else ""
            awaited -= {kind, content.get("execution_state")}
        return text

    def close(self) -> None:
        self.socket.close()


def environment(home: Path) -> dict[str, str]:
    """Return what a server is started with: nothing of whoever runs the tests."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROBE),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
    }


@pytest.fixture(scope="session")
def start_server(tmp_path_factory):
    """Return what starts a server; all of them are ended at the end."""
    with contextlib.ExitStack() as ends:

        def start(*arguments, extensions=None, files=None, **changes):
            home = tmp_path_factory.mktemp("server")
            (home / "work").mkdir()
            for name, text in (files or {}).items():
                (home / name).parent.mkdir(parents=True, exist_ok=True)
                (home / name).write_text(text)
            process = _popen(home, [*_options(home, extensions), *arguments], **changes)
            ends.callback(_end, process)
            return Server(home, process).await_start()

        yield start


def _options(home: Path, extensions):
    return [
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={home / 'work'}",
        f"--ServerApp.jpserver_extensions={EXTENSIONS | (extensions or {})}",
        "--ServerApp.allow_root=True",
        "--ServerApp.open_browser=False",
    ]


def _popen(home, options, *, program=("-m", "jupyter_server"), environ=None):
    with (home / "log.txt").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, *program, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment(home), **(environ or {})},
            cwd=home / "work",
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and the kernels that it may have left, if it still runs."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.wait()


@pytest.fixture(scope="session")
def server(start_server):
    """Return a server that collects everything, for tests that leave it running."""
    return start_server(*COLLECTING, "--OtelPolicy.code=text")


@pytest.fixture(name="environment", scope="session")
def _environment():
    return environment


@pytest.fixture
def free_port():
    """Return a port at which nobody listens."""
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        return unbound.getsockname()[1]


@pytest.fixture(name="wait_until", scope="session")
def _wait_until():
    return wait_until


@pytest.fixture
def connect():
    """Return what connects to a kernel; every connection is closed at the end."""
    with contextlib.ExitStack() as ends:

        def connect(server, kernel_id, protocol=V1, token=TOKEN):
            client = KernelClient(server, kernel_id, protocol, token)
            ends.callback(client.close)
            return client

        yield connect
