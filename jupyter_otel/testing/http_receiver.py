"""An OTLP/HTTP receiver on loopback: records what comes and fails as scripted."""

import gzip
import json
import socket
import ssl
import struct
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]

from jupyter_otel.export.otlp_json import with_base64_ids
from jupyter_otel.export.services import SERVICES
from jupyter_otel.tally import Signal
from jupyter_otel.testing.loopback import Loopback, QuietServer
from jupyter_otel.testing.received import Inbox, Received, parse


@dataclass(frozen=True, slots=True)
class Answer:
    """How one request is answered."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang_up: bool = False
    """Read the request, then close the connection without an answer."""
    wait_for: threading.Event | None = None
    """Answer only once this is set: a receiver that hangs."""
    reset: bool = False
    """Reset the connection while the request's body is still coming."""
    drip_s: float = 0.0
    """Seconds between two bytes of the answer's body."""
    drip_head_s: float = 0.0
    """Seconds between two bytes of a status line and headers that never end."""


class HttpReceiver(Loopback):
    """Listens on a free port of 127.0.0.1 while used as a context manager.

    Args:
        answers: One for each request, in order; afterwards ``then`` for ever.
        then: The answer once the script is over.
        port: A fixed port, to come back where one was before; 0: a free one.
        tls: A server's context, to speak HTTPS.
    """

    def __init__(
        self,
        answers: Iterable[Answer] = (),
        *,
        then: Answer | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.inbox = Inbox()
        self._answers = deque(answers)
        self._then = then or Answer()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.receiver = self
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            # Shaken hands on each connection's own thread: a client that does not
            # must not keep others waiting.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        """The base URL, without a path."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def endpoint(self, signal: Signal) -> str:
        """Return the whole URL of one signal."""
        return f"{self.url}/v1/{signal.value}"

    def next_answer(self) -> Answer:
        """Return how the next request is to be answered."""
        try:
            return self._answers.popleft()
        except IndexError:
            return self._then


class _Server(QuietServer):
    receiver: HttpReceiver

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def server_close(self) -> None:
        """End kept-alive connections too, as a process that dies does."""
        super().server_close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:  # the name that http.server looks for
        answer = self.server.receiver.next_answer()
        if answer.reset:
            self._reset()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._record(body, answer)
        if answer.wait_for is not None:
            answer.wait_for.wait(60)
        if answer.hang_up:
            self.close_connection = True
            return
        if answer.drip_head_s:
            self._drip_head(answer)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not answer.drip_s:
            self.wfile.write(answer.body)
        for byte in answer.body if answer.drip_s else ():
            time.sleep(answer.drip_s)
            self.wfile.write(bytes((byte,)))

    def _drip_head(self, answer: Answer) -> None:
        self.close_connection = True
        head = b"HTTP/1.1 %d \r\nX-Drip: " % answer.status
        for byte in head + b"a" * 200:
            time.sleep(answer.drip_head_s)
            self.wfile.write(bytes((byte,)))

    def _reset(self) -> None:
        """Take a part of the body, then close so that the client is sent a RST."""
        self.rfile.read(16)
        no_lingering = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_lingering)
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Keep test output clean."""

    def _record(self, body: bytes, answer: Answer) -> None:
        signal = Signal(self.path.rpartition("/")[2])
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = _decompress(body, headers.get("content-encoding", ""))
        is_json = headers.get("content-type") == "application/json"
        message = parse_json(signal, body) if is_json else parse(signal, body)
        status = "hang up" if answer.hang_up else str(answer.status)
        self.server.receiver.inbox.put(Received(signal, headers, message, status))


def _decompress(body: bytes, encoding: str) -> bytes:
    match encoding:
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
        case _:
            return body


def parse_json(signal: Signal, body: bytes) -> Any:
    """Return an OTLP/JSON request as a message, through protobuf's own JSON reader."""
    message = SERVICES[signal].request()
    return json_format.ParseDict(with_base64_ids(json.loads(body)), message)
