"""Joins spool and export: one thread a signal leases, merges, sends and books.

::

    lease ─▶ merge (concatenate) ─▶ send ─▶ Sent      acknowledge, book as sent, pause
                                          ├ Retry     release, wait, again
                                          └ Rejected  alone once more, or drop

Nothing here knows a protocol or a table. An idle thread sleeps without polling.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from jupyter_otel.complaints import Complaints
from jupyter_otel.errors import SpoolError
from jupyter_otel.export.destination import Destination
from jupyter_otel.export.verdicts import Rejected, Retry, Sent, Verdict
from jupyter_otel.spool.rows import Loss, Row, book
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Signal
from jupyter_otel.tracing.suppression import suppress_instrumentation


class DeliverySettings(NamedTuple):
    """How eagerly a `Delivery` sends."""

    merge_bytes: int = 768 * 1024
    """How large a merged request gets, if its rows are small."""
    merge_records: int = 2000
    merge_rows: int = 512
    pause_s: float = 0.5
    """How long after a request the next one waits to grow: small ones cost as much."""
    many_records: int = 500
    """So many wait for no pause to end."""
    first_backoff_s: float = 1.0
    max_backoff_s: float = 60.0
    expire_every_s: float = 300.0
    """How often rows that are too old are looked for."""


class Delivery:
    """Sends one signal's rows, oldest first, until each is sent or dropped.

    Its thread is a daemon: a receiver that hangs never holds a process up. After a
    fork the child makes a new one.
    """

    def __init__(  # what it joins, and a clock
        self,
        signal: Signal,
        spool: Spool,
        destination: Destination,
        books: Books,
        *,
        settings: DeliverySettings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.last_error: str | None = None
        self.failures = 0
        """How often a request was to be tried again."""
        self.on_sent: Callable[[], None] = lambda: None
        """Called on its thread after each request that a receiver took records of."""
        self._signal = signal
        self._spool = spool
        self._destination = destination
        self._books = books
        self._settings = settings or DeliverySettings()
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._woken = self._hurried = self._stopping = False
        self._backoff_s = 0.0
        self._paused_until = -math.inf
        self._is_pausing = False
        self._expire_at = monotonic()
        self._complaints = Complaints(monotonic)
        self._thread = threading.Thread(
            target=self._run, name=f"jupyter_otel-send-{signal.value}", daemon=True
        )

    def start(self) -> None:
        """Begin to send; once."""
        self._thread.start()

    def wake(self) -> None:
        """Say that rows were appended."""
        if self._is_pausing and not self._has_many():
            self._woken = True  # its thread looks for itself after the pause
        else:
            self._notify(woken=True)

    def hurry(self) -> None:
        """Try once now, whatever the back-off says: somebody waits for a flush."""
        self._notify(hurried=True)

    def stop(self, timeout_s: float) -> bool:
        """Send nothing more; return whether the thread ended in time.

        What waits stays in the spool. A thread inside a send that hangs is left
        behind: it is a daemon, and a closed spool takes its late answer.
        """
        self._notify(stopping=True)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        ended = not self._thread.is_alive()
        if ended:
            self._destination.close()
        return ended

    def _notify(
        self, *, woken: bool = False, hurried: bool = False, stopping: bool = False
    ) -> None:
        with self._changed:
            self._woken |= woken
            self._hurried |= hurried
            self._stopping |= stopping
            self._changed.notify_all()

    def _run(self) -> None:
        suppress_instrumentation()
        while not self._stopping:
            try:
                wait_s = self._step()
            except SpoolError as error:
                wait_s = self._next_backoff(None)
                self._report("spool", str(error))
                self._book(self._spool.expire())
            if wait_s is None:
                self._sleep_until_woken()
            elif wait_s > 0:
                self._back_off(wait_s)

    def _step(self) -> float | None:
        """Send once; return how long to wait then, None: until rows come."""
        self._pause()
        if self._stopping:
            return None
        self._expire()
        with self._changed:
            self._woken = False
        rows = self._lease()
        self._book(self._spool.take_losses())
        if not rows:
            return None
        is_all = self._spool.pending()[self._signal] <= _records(rows)
        retry = self._deliver_or_release(rows)
        self._book(self._spool.take_losses())
        if retry is None:
            self._backoff_s = 0.0
            pause_s = self._settings.pause_s if is_all else 0.0
            self._paused_until = self._monotonic() + pause_s
            return 0.0
        self.failures += 1
        self._report(retry.why, f"{retry.why}; the records are kept, trying again")
        return self._next_backoff(retry.after_s)

    def _pause(self) -> None:
        """Let the next request grow; the first one after a while waits for nothing."""
        pause_s = self._paused_until - self._monotonic()
        self._paused_until = -math.inf  # a hurried pause is over, whatever comes of it
        if pause_s <= 0:
            return
        with self._changed:
            self._is_pausing = True
            self._changed.wait_for(self._is_awaited, pause_s)
            self._is_pausing = self._hurried = False

    def _is_awaited(self) -> bool:
        return self._hurried or self._stopping or self._has_many()

    def _has_many(self) -> bool:
        return self._spool.pending()[self._signal] >= self._settings.many_records

    def _lease(self) -> list[Row]:
        limit = min(self._settings.merge_bytes, self._destination.max_request_bytes)
        return self._spool.lease(
            self._signal,
            max_rows=self._settings.merge_rows,
            max_bytes=limit,
            max_records=self._settings.merge_records,
        )

    def _deliver_or_release(self, rows: Sequence[Row]) -> Retry | None:
        try:
            return self._deliver(rows)
        # A bug in a destination, which may be anybody's, must not end all sending.
        except Exception as error:  # noqa: BLE001
            self._spool.release([row.id for row in rows])
            return Retry(None, f"{type(error).__name__} in {self._destination.name}")

    def _deliver(self, rows: Sequence[Row]) -> Retry | None:
        """Send rows in one request; return the verdict that holds them up, if any."""
        if len(rows[0].body) > self._destination.max_request_bytes:
            self._drop_too_large(rows[0])
            return None
        verdict = self._send(rows)
        if isinstance(verdict, Rejected) and verdict.split and len(rows) > 1:
            return self._deliver_alone(rows)
        return self._settle(rows, verdict)

    def _deliver_alone(self, rows: Sequence[Row]) -> Retry | None:
        for index, row in enumerate(rows):
            retry = self._settle([row], self._send([row]))
            if retry is not None or self._stopping:
                self._spool.release([rest.id for rest in rows[index + 1 :]])
                return retry
        return None

    def _send(self, rows: Sequence[Row]) -> Verdict:
        # Requests of one signal concatenate into one valid request (protobuf
        # merges repeated fields), so that nothing is decoded here.
        request = rows[0].body if len(rows) == 1 else b"".join(r.body for r in rows)
        return self._destination.send(request, _records(rows))

    def _settle(self, rows: Sequence[Row], verdict: Verdict) -> Retry | None:
        ids = [row.id for row in rows]
        if isinstance(verdict, Retry):
            self._spool.release(ids)
            return verdict
        rejected = _records(rows)
        if isinstance(verdict, Sent):
            self._spool.acknowledge(ids)
            rejected = min(max(verdict.rejected, 0), rejected)
            self._books.send(self._signal, _records(rows) - rejected)
            if rejected < _records(rows):
                self.on_sent()
        else:
            self._spool.discard(ids)
        if rejected:
            self._books.drop(self._signal, DropReason.REJECTED, rejected)
            self._report_rejection(verdict, rejected)
        elif isinstance(verdict, Sent) and verdict.warning:
            self._report(verdict.warning, verdict.warning)
        elif isinstance(verdict, Sent):
            self.last_error = None
        return None

    def _drop_too_large(self, row: Row) -> None:
        # A lease that begins with a row above its limit holds no other.
        self._spool.discard([row.id])
        self._books.drop(self._signal, DropReason.TOO_LARGE, row.records)
        self._report(
            "too_large",
            f"{_dropped(row.records)}: one request with that is larger than "
            f"{self._destination.name} takes",
        )

    def _report_rejection(self, verdict: Sent | Rejected, records: int) -> None:
        if isinstance(verdict, Rejected):
            self._report(verdict.why, f"{verdict.why}; {_dropped(records)}")
        elif verdict.message:
            # The receiver's words may quote data: they are not logged.
            self._report(
                "partial_success",
                f"{self._destination.name} refused {_counted(records)} of a request"
                " that it took; its own log says why",
            )

    def _expire(self) -> None:
        if self._monotonic() < self._expire_at:
            return
        self._expire_at = self._monotonic() + self._settings.expire_every_s
        self._book(self._spool.expire())

    def _book(self, losses: Sequence[Loss]) -> None:
        book(losses, self._books, self._complaints)

    def _next_backoff(self, after_s: float | None) -> float:
        # A wait of nothing, again and again, would be a loop without rest.
        if after_s is not None and after_s >= self._settings.first_backoff_s:
            return after_s
        self._backoff_s = min(
            max(2 * self._backoff_s, self._settings.first_backoff_s),
            self._settings.max_backoff_s,
        )
        # Half fixed, half chance: many servers must not come back all at once.
        return self._backoff_s * random.uniform(0.5, 1.0)  # noqa: S311

    def _sleep_until_woken(self) -> None:
        timeout_s = max(self._expire_at - self._monotonic(), 0.0)
        # With nothing in the spool nothing can become too old.
        idle = self._spool.size_bytes() == 0
        with self._changed:
            self._changed.wait_for(
                lambda: self._woken or self._stopping, None if idle else timeout_s
            )
            self._hurried = False

    def _back_off(self, wait_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._hurried or self._stopping, wait_s)
            self._hurried = False

    def _report(self, reason: str, message: str) -> None:
        """Keep the last error and log it, one line a minute for each reason."""
        self.last_error = message
        self._complaints.say(reason, f"{self._signal.value}: {message}.")


def _dropped(records: int) -> str:
    return f"{_counted(records)} {'is' if records == 1 else 'are'} dropped"


def _counted(records: int) -> str:
    return "1 record" if records == 1 else f"{records} records"


def _records(rows: Sequence[Row]) -> int:
    return sum(row.records for row in rows)
