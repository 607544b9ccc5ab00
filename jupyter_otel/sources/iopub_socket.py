"""Reads a kernel's iopub socket on the event loop, cheaply.

A `ZMQStream` comes back to the loop for every message, which costs more than all we do
with one: here the loop wakes once for all that have come, and while there is no hurry
only every now and then.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import zmq

_NOW = int(zmq.NOBLOCK)
_AT_ONCE = 100
"""So many messages are taken before others have their turn on the loop."""
_MOST = 1000
"""So many a socket holds: the high-water mark that ZeroMQ gives it."""
_LEISURE_S = 0.05


class IopubSocket:
    """Hands every message on, until it is closed.

    Args:
        stream: A connected `ZMQStream`, to be used by nobody else.
        take: Takes the frames of a message. Never raises.
        has_leisure: Whether messages may wait a little, until there are more.
    """

    def __init__(
        self,
        stream: Any,
        take: Callable[[list[bytes]], None],
        has_leisure: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stream = stream
        self._take = take
        self._has_leisure = has_leisure
        self._socket: Any = stream.socket
        self._loop: Any = stream.io_loop
        self._loop.remove_handler(self._socket)
        self._listen()

    def close(self) -> None:
        """Read no more, and give the socket back."""
        self._take = _nothing
        if not self._stream.closed():
            self._stream.close(linger=0)

    def read_now(self) -> None:
        """Take all that has come."""
        if self._read(_MOST):
            # What is left tells of itself to nobody.
            self._loop.add_callback(self._go_on)

    def _listen(self) -> None:
        self._loop.add_handler(self._socket, self._wake, self._loop.READ)
        # What came before tells of itself to nobody.
        self._loop.add_callback(self._go_on)

    def _wake(self, *_fd_and_events: Any) -> None:
        if self._has_leisure():
            self._loop.remove_handler(self._socket)
            self._loop.call_later(_LEISURE_S, self._wake_late)
        else:
            self._go_on()

    def _wake_late(self) -> None:
        if not self._stream.closed():
            self._listen()

    def _go_on(self) -> None:
        if self._read(_AT_ONCE):
            self._loop.add_callback(self._go_on)

    def _read(self, most: int) -> bool:
        """Take what has come; return whether there may be more."""
        # The usual end is that there is no more for now. A context or socket that was
        # closed elsewhere ends it, too: the kernel has gone.
        with suppress(zmq.ZMQError):
            for _turn in range(most):
                self._take(_message(self._socket))
            return True
        return False


def _message(socket: Any) -> list[bytes]:
    """Return the next message's frames.

    What `recv_multipart` does, without asking after each frame whether there are more:
    the frame knows, and each question costs what a frame does.

    Raises:
        zmq.Again: There is none.
    """
    frame = socket.recv(_NOW, copy=False)
    frames = [frame.bytes]
    while frame.more:
        frame = socket.recv(_NOW, copy=False)
        frames.append(frame.bytes)
    return frames


def _nothing(_frames: list[bytes]) -> None:
    """Take nothing."""
