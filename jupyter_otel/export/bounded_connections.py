"""Connections whose answer must begin in time as a whole, not only byte by byte.

A socket's timeout starts anew with each byte, so that a receiver that drips its status
line or headers could hold a sender for hours. What reads the body is in
`http_client`.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager


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


class _Http(HTTPConnection):
    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        read = super().getresponse
        return _in_time(self.sock, lambda: read(*args, **kwargs))


class _Https(HTTPSConnection):
    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        read = super().getresponse
        return _in_time(self.sock, lambda: read(*args, **kwargs))


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


def _in_time(sock: socket.socket, read: Callable[[], Any]) -> Any:
    """Return what is read from a socket, as a whole within the socket's timeout.

    Raises:
        TimeoutError: It took longer.
    """
    passed = threading.Event()

    def end() -> None:
        passed.set()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(sock.gettimeout() or threading.TIMEOUT_MAX, end)
    # A process that ends must not wait for it.
    timer.daemon = True
    with suppress(RuntimeError):  # at the interpreter's end no thread begins any more
        timer.start()
    answer = None
    try:
        answer = read()
    # HTTPException, OSError: however what was cut off is called.
    except Exception:
        if not passed.is_set():
            raise
    finally:
        timer.cancel()
    if passed.is_set():  # raised here, so that it hides no other cause
        raise TimeoutError
    return answer
