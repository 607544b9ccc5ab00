"""Events on their way to the server: over the kernel's own iopub channel.

A message type of ours, in batches with a number each, so that the server sees a gap.
Sent only while the newest execute request says that the server listens, because other
clients complain about types they do not know. It carries a parent that is no
execution, so that no such message counts as activity that keeps a kernel alive; which
execution an event belongs to stands in the event. What an event may hold is
``plain_json.py``'s.

::

    emit ──▶ queue ──end of the cell, a full batch, or 0.5 s──▶ kernel.iopub_thread

`emit` never waits; a flush may, for the kernel's iopub thread, as `print` may. So
nobody flushes with a lock that the iopub thread takes.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jupyter_otel_kernel import cells, forks
from jupyter_otel_kernel.plain_json import json_bytes

MESSAGE_TYPE = "jupyter_otel_event"
IDENT = b"jupyter_otel"
MAX_QUEUED = 2048
MAX_EVENT_BYTES = 16 * 1024
MAX_BATCH_EVENTS = 100
MAX_BATCH_BYTES = 64 * 1024
MAX_IN_FLIGHT = 20
WAIT_S = 0.5
CHILD_WAIT_S = 0.05


class Channel:
    """The queue of one kernel process; its methods never raise and never print.

    Args:
        kernel: Over whose iopub it sends.
        traceparent: Returns the header of the calling code's span, empty without one.
    """

    def __init__(self, kernel: Any, traceparent: Callable[[], str]) -> None:
        self._kernel = kernel
        self._traceparent = traceparent
        self._parent = kernel.session.msg_header("kernel_info_request")
        self.listens = False
        """Whether the newest execute request says that the server takes events."""
        self.sent = 0
        self.lost_in_all = 0
        self.faults = 0
        self._start()

    def _start(self) -> None:
        """Begin anew, as at first and in a forked child."""
        self._generation = forks.generation
        self._sending = threading.Lock()
        # Re-entered where a `__del__` that reads data runs while it is held.
        self._counting = threading.RLock()
        self._name = os.urandom(8).hex()
        self._sequence = 0
        self._lost = 0
        self._queue: deque[bytes] = deque()
        self._waits = self._hurries = False
        self._in_flight: list[None] = []
        """An entry for each message that the iopub thread has not got round to."""
        self._child_waits_until_s = 0.0

    def emit(
        self,
        schema_id: str,
        data: Mapping[str, Any],
        msg_id: str | None,
        time_ns: int | None = None,
    ) -> bool:
        """Queue an event; see `emit`."""
        # The edge of a hook: the caller is user code that knows nothing of us.
        try:
            if not self.listens:
                return False
            if forks.generation != self._generation:
                self._start()
                forks.at_exit_of_child(self.flush)
            return self._add(self._encoded(schema_id, data, msg_id, time_ns))
        except Exception:  # noqa: BLE001
            self.faults += 1
            return False

    def flush(self) -> None:
        """Hand everything queued to the kernel's iopub thread."""
        # The edge of a hook, as above; also called by the iopub thread and at exit.
        try:
            if forks.generation != self._generation:
                return
            while self._has_to_send():
                # Nobody waits here: the iopub thread, which others wait for while they
                # send, flushes, too. Whoever sends looks again afterwards.
                if not self._sending.acquire(blocking=False):
                    return
                try:
                    self._send_batch()
                finally:
                    self._sending.release()
        except Exception:  # noqa: BLE001
            self.faults += 1

    def close(self) -> None:
        """Send what is queued; from now on nobody listens."""
        self.flush()
        self.listens = False
        atexit.unregister(self.flush)

    def _has_to_send(self) -> bool:
        waits = len(self._in_flight) >= MAX_IN_FLIGHT
        return bool(self._queue) and self.listens and not waits

    def _encoded(
        self,
        schema_id: str,
        data: Mapping[str, Any],
        msg_id: str | None,
        time_ns: int | None,
    ) -> bytes:
        if msg_id is None:
            cell = cells.current()
            msg_id = cell.msg_id if cell is not None else ""
        event: dict[str, Any] = {"schema_id": schema_id, "data": data, "msg_id": msg_id}
        # It is reported later, from elsewhere: in no span of its own.
        if time_ns is not None:
            event["time_ns"] = time_ns
            return json_bytes(event)
        event["time_ns"] = time.time_ns()
        traceparent = self._traceparent()
        if traceparent:
            event["traceparent"] = traceparent
        return json_bytes(event)

    def _add(self, event: bytes) -> bool:
        if len(event) > MAX_EVENT_BYTES or len(self._queue) >= MAX_QUEUED:
            self._count_lost(1)
            return False
        self._queue.append(event)
        if not self._kernel.iopub_thread.thread.is_alive():
            self._flush_child()
        elif len(self._queue) >= MAX_BATCH_EVENTS:
            self._flush_soon()
        elif not self._waits:
            self._waits = True
            self.call_later(WAIT_S, self._flush_late)
        return True

    def _flush_soon(self) -> None:
        """Flush on the iopub thread: here it might have to wait for that."""
        if not self._hurries:
            self._hurries = True
            self._kernel.iopub_thread.io_loop.add_callback(self._flush_now)

    def _flush_now(self) -> None:
        self._hurries = False
        self.flush()

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call something in so many seconds, on the kernel's iopub thread."""
        loop = self._kernel.iopub_thread.io_loop
        loop.add_callback(partial(loop.call_later, delay_s, call))

    def _flush_late(self) -> None:
        self._waits = False
        self.flush()

    def _flush_child(self) -> None:
        """Send at once, and then not again for a little: it takes milliseconds.

        No thread would flush later in a forked child.
        """
        now_s = time.monotonic()
        if now_s >= self._child_waits_until_s:
            self.flush()
            self._child_waits_until_s = now_s + CHILD_WAIT_S

    def _send_batch(self) -> None:
        """Send the oldest events, and how many were lost before them."""
        events = self._batch()
        with self._counting:
            lost, self._lost = self._lost, 0
        content = b'{"channel":"%s","sequence":%d,"lost":%d,"events":[%s]}' % (
            self._name.encode(),
            self._sequence,
            lost,
            b",".join(events),
        )
        self._sequence += 1
        try:
            self._send(content)
        except Exception:
            self._lost += lost
            self._count_lost(len(events))
            raise
        self.sent += len(events)

    def _count_lost(self, events: int) -> None:
        with self._counting:
            self._lost += events
            self.lost_in_all += events

    def _batch(self) -> list[bytes]:
        events: list[bytes] = []
        room = MAX_BATCH_BYTES
        while self._queue and len(events) < MAX_BATCH_EVENTS:
            room -= len(self._queue[0])
            if events and room < 0:
                break
            events.append(self._queue.popleft())
        return events

    def _send(self, content: bytes) -> None:
        # `session.send` drops what a forked child sends, and logs all of it; the iopub
        # thread has a pipe for children.
        session = self._kernel.session
        message = session.msg(MESSAGE_TYPE, content, parent=self._parent)
        frames = session.serialize(message, ident=IDENT)
        iopub_thread = self._kernel.iopub_thread
        self._in_flight.append(None)
        iopub_thread.send_multipart(frames)
        iopub_thread.schedule(self._sent_one)

    def _sent_one(self) -> None:
        """Send on what had to wait; called by the iopub thread."""
        self._in_flight.pop()
        self.flush()


_channel: Channel | None = None


def emit(
    schema_id: str,
    data: Mapping[str, Any],
    *,
    msg_id: str | None = None,
    time_ns: int | None = None,
) -> bool:
    """Queue an event for the server; never raises, never prints, never waits.

    Values that JSON does not know are left out, as is NaN; long texts are cut.

    Args:
        schema_id: One of the schemas that the server takes from kernels.
        data: The event's properties.
        msg_id: Of the execution it belongs to; None: that of the calling code.
        time_ns: When it happened, since the Unix epoch; None: now.

    Returns:
        Whether it was queued: False where nobody listens or there is no room.
    """
    channel = _channel
    return channel is not None and channel.emit(schema_id, data, msg_id, time_ns)


def call_later(delay_s: float, call: Callable[[], None]) -> None:
    """Call something in so many seconds on the thread that sends, if there is one."""
    if _channel is not None:
        _channel.call_later(delay_s, call)


def open_channel(kernel: Any, traceparent: Callable[[], str]) -> Channel:
    """Return a channel over a kernel's iopub; `emit` uses it from now on."""
    global _channel  # noqa: PLW0603 - a process has one kernel
    _channel = Channel(kernel, traceparent)
    atexit.register(_channel.flush)
    return _channel
