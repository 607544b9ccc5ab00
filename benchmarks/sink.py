"""An OTLP/HTTP receiver that acknowledges and counts, in a process of its own.

What it costs is nobody's: a contender is measured in its own process. It counts the
records it was sent, so that a contender that lost some cannot look fast.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    records = 0

    def do_POST(self) -> None:
        """Count and acknowledge a request; nothing is kept of it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/logs":
            _Handler.records += _count(body)
        self._answer(b"")

    def do_GET(self) -> None:
        """Tell how many records have come since the last time anybody asked."""
        count, _Handler.records = _Handler.records, 0
        self._answer(str(count).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: one line a request would be the benchmark."""


def _count(body: bytes) -> int:
    request = ExportLogsServiceRequest.FromString(body)
    return sum(
        len(scope.log_records)
        for resource in request.resource_logs
        for scope in resource.scope_logs
    )


def taken(endpoint: str) -> int:
    """Return how many records the sink got since it was last asked."""
    with urlopen(endpoint, timeout=10) as answer:  # noqa: S310 - our own sink
        return int(answer.read())


@contextmanager
def running_sink() -> Iterator[str]:
    """Run a sink on a free port; give its base URL; end it afterwards."""
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE) as sink:  # noqa: S603
        assert sink.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield f"http://127.0.0.1:{int(sink.stdout.readline())}"
        finally:
            sink.terminate()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
