"""A forward proxy on loopback: hands everything to one place, or refuses all of it."""

import select
import socket
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any

from jupyter_otel.testing.loopback import Loopback, QuietServer

_PIECE_BYTES = 2**16


class Proxy(Loopback):
    """Listens on a free port of 127.0.0.1 while used as a context manager.

    Args:
        to_port: Where all goes, on 127.0.0.1, whatever host a request names.
        refuse_with: The status that everything is answered instead.
    """

    def __init__(self, to_port: int, *, refuse_with: int | None = None) -> None:
        self.to_port = to_port
        self.refuse_with = refuse_with
        self.asked: list[str] = []
        """Each request's method and what it was for: ``CONNECT host:443``."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self

    @property
    def url(self) -> str:
        """What ``HTTP_PROXY`` is to hold."""
        return f"http://127.0.0.1:{self._server.server_port}"


class _Server(QuietServer):
    proxy: Proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_CONNECT(self) -> None:  # the name that http.server looks for
        """Join the client to the place, byte by byte."""
        if self._refuses():
            return
        with socket.create_connection(("127.0.0.1", self.server.proxy.to_port)) as to:
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            _join(self.connection, to)

    def do_POST(self) -> None:
        """Make the same request there; give the answer back."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._refuses():
            return
        path = "/" + self.path.split("/", 3)[3]
        there = HTTPConnection("127.0.0.1", self.server.proxy.to_port)
        there.request("POST", path, body, dict(self.headers.items()))
        answer = there.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        there.close()

    def log_message(self, *_args: object) -> None:
        """Keep test output clean."""

    def _refuses(self) -> bool:
        self.server.proxy.asked.append(f"{self.command} {self.path}")
        status = self.server.proxy.refuse_with
        if status is None:
            return False
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True


def _join(one: Any, other: Any) -> None:
    """Copy what either says to the other until one of them ends."""
    partner = {one: other, other: one}
    while True:
        for reader in select.select(list(partner), [], [])[0]:
            piece = reader.recv(_PIECE_BYTES)
            if not piece:
                return
            partner[reader].sendall(piece)
