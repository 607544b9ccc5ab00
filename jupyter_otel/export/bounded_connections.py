"""Connections that one request's time bounds as a whole, not only byte by byte.

A socket's timeout starts anew with each byte and with each step, so that a receiver, or
a proxy before it, that drips could hold a sender for hours. What reads the body is in
`http_client`.

Only the look-up of a host's name is not bounded here: the system's resolver has its own
limits, and nobody can interrupt it.
"""

import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar, Token
from http.client import HTTPException
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ProxyError
from urllib3.poolmanager import PoolManager
from urllib3.util.connection import create_connection


class Deadline:
    """Ends what this thread does over bounded connections once its time is over.

    Used as a context manager around one request, its answer's body included.
    """

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._end_s = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._pass)
        # A process that ends must not wait for it.
        self._timer.daemon = True
        self._before: Token[Deadline | None] | None = None

    def left_s(self) -> float:
        """Return how much time there is, never less than none."""
        return max(self._end_s - time.monotonic(), 0.0)

    @property
    def has_cut_off(self) -> bool:
        """Whether a connection was shut down because of it."""
        return self.has_passed and bool(self._sockets)

    def watch(self, descriptor: int) -> None:
        """Shut a socket down when the time is over."""
        # A copy: TLS takes the first descriptor over while it shakes hands.
        copy = socket.socket(fileno=socket.dup(descriptor))
        with self._lock:
            self._sockets.append(copy)
            if self.has_passed:
                _shut_down(copy)

    def __enter__(self) -> Self:
        self._before = _DEADLINE.set(self)
        with suppress(RuntimeError):  # at the interpreter's end no thread begins
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._before is not None:
            _DEADLINE.reset(self._before)
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    def _pass(self) -> None:
        with self._lock:
            self.has_passed = True
            for copy in self._sockets:
                _shut_down(copy)


_DEADLINE: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class BoundedAdapter(HTTPAdapter):
    """Opens bounded connections, directly and through proxies."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        _bound(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Return the pools of one proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        _bound(manager)
        return manager


def _bound(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class _Bounded(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        deadline = _DEADLINE.get()
        if deadline is None:
            return super()._new_conn()
        connected = self._connect_before(deadline)
        # From here on a proxy may drip, and a handshake hang.
        deadline.watch(connected.fileno())
        return connected

    def _connect_before(self, deadline: Deadline) -> socket.socket:
        """Return a connection to the first address that answers in its share of time.

        Raises:
            OSError: There is no address, or the last one's failure.
        """
        failure: OSError = TimeoutError()
        found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        for tried, (*_, address) in enumerate(found):
            share_s = deadline.left_s() / (len(found) - tried)
            if not share_s:
                break
            try:
                return create_connection(
                    (str(address[0]), int(address[1])),
                    share_s,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failure = error
        raise failure

    def _tunnel(self) -> None:
        """Have a proxy connect us.

        Raises:
            ProxyError: It took too long.
        """
        deadline = _DEADLINE.get()
        try:
            super()._tunnel()
        except (OSError, HTTPException):
            if deadline is None or not deadline.has_passed:
                raise
        if deadline is not None and deadline.has_passed:
            raise ProxyError("no answer to CONNECT", TimeoutError())

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Make a request, over a connection that may be an earlier one's."""
        deadline = _DEADLINE.get()
        if deadline is not None and self.sock is not None:
            deadline.watch(self.sock.fileno())
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        """Return an answer whose head has come in time.

        Raises:
            TimeoutError: It has not. A head that was cut off may look like a whole one.
        """
        answer = super().getresponse()
        deadline = _DEADLINE.get()
        if deadline is not None and deadline.has_passed:
            answer.close()
            raise TimeoutError
        return answer


class _Https(_Bounded, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https
