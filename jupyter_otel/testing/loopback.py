"""HTTP servers of ours on 127.0.0.1, for as long as they are used."""

import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self


class QuietServer(ThreadingHTTPServer):
    """Waits for nobody when it is closed, and says nothing of clients that left."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_args: object) -> None:
        """Say nothing of clients that went away."""


class Loopback:
    """Serves on a thread of its own while it is used as a context manager."""

    _server: ThreadingHTTPServer

    def __enter__(self) -> Self:
        serve = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        serve.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
