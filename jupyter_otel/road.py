"""The durable road of one process: spool, senders, destinations and the books on them.

Whoever has OTLP requests puts them here: the pipeline, and the exporters for users of
the plain SDK. Nothing here knows events.

::

    rows ─▶ Spool ─▶ Delivery, one a signal ─▶ Destination
            adoption of what dead processes left, beside the start and later
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_otel.complaints import Complaints
from jupyter_otel.config import Settings
from jupyter_otel.delivery import Delivery
from jupyter_otel.environment import export_settings
from jupyter_otel.errors import ConfigError
from jupyter_otel.export.destination import Destination, open_destination
from jupyter_otel.permits import open_permits
from jupyter_otel.spool.adoption import Adopter
from jupyter_otel.spool.judging import Judge
from jupyter_otel.spool.recent import RecentRows
from jupyter_otel.spool.rows import Loss, NewRow, book
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Signal

_MEMORY_BYTES = 16 * 2**20
_MIB = 2**20
_POLL_S = 0.005
_RECENT_SHARE = 4
"""What left lately takes a quarter of the spool's size at most, beside it."""


class Road:
    """Takes rows in until each is sent or dropped.

    Args:
        settings: Checked.
        books: Count what becomes of each record.
        signals: Which have a sender from the start; `open` adds others.
        warnings: Gets a line for what is legal but probably wrong.
        judge: Says whether a row may still leave; None: the settings do.

    Raises:
        ConfigError: A destination cannot be used.
        SpoolError: The spool's directory cannot be written.
    """

    def __init__(
        self,
        settings: Settings,
        books: Books,
        signals: Iterable[Signal],
        warnings: list[str],
        judge: Judge | None = None,
    ) -> None:
        self.books = books
        self.destinations: dict[str, str] = {}
        """Where each signal goes, for people, without credentials."""
        self.on_sent: Callable[[], None] = lambda: None
        """Called on a sender's thread after each request that a receiver took."""
        self._settings = settings
        self._warnings = warnings
        self._deliveries: dict[Signal, Delivery] = {}
        self._lock = threading.RLock()
        self._is_running = False
        self._adopter: Adopter | None = None
        self._complaints = Complaints()
        opened = {signal: self._open_destination(signal) for signal in signals}
        self.directory = _spool_directory(settings)
        judge = judge or open_permits(settings)
        self.spool = _open_spool(settings, self.directory, judge)
        for signal, destination in opened.items():
            self._add(signal, destination)

    @property
    def deliveries(self) -> Mapping[Signal, Delivery]:
        """The senders."""
        return self._deliveries

    def start(self, *, adopts: bool = True) -> None:
        """Begin to send, and to take over what dead processes left."""
        for delivery in self._deliveries.values():
            delivery.start()
        self._is_running = True
        if adopts and self.directory is not None:
            self._adopter = Adopter(
                self.spool, self.directory, self.books.accept, self._open_adopted
            )
            self._adopter.start()

    def open(self, signal: Signal) -> None:
        """Have a signal sent too, if it is not yet.

        Raises:
            ConfigError: Its destination cannot be used.
        """
        with self._lock:
            if signal in self._deliveries:
                return
            self._add(signal, self._open_destination(signal))
            if self._is_running:
                self._deliveries[signal].start()

    def put(self, rows: Sequence[NewRow]) -> bool:
        """Accept rows and store them, on disk where there is one; False: some are lost.

        For whoever has a thread that may wait for the disk. What is lost is counted.
        """
        for row in rows:
            self.books.accept(row.signal, row.records)
        losses = [*self.spool.append(rows), *self.spool.settle()]
        self.book(losses)
        for signal in {row.signal for row in rows}:
            self.wake(signal)
        return not losses

    def book(self, losses: Sequence[Loss]) -> None:
        """Count what the spool lost, and say so."""
        book(losses, self.books, self._complaints)

    def wake(self, signal: Signal) -> None:
        """Say that rows of a signal were appended."""
        self._deliveries[signal].wake()

    def await_adoption(self, timeout_s: float) -> None:
        """Wait until what dead processes left before the start is on the road."""
        if self._adopter is not None:
            self._adopter.wait_for_first_look(max(timeout_s, 0.0))

    def flush(self, timeout_s: float, signal: Signal | None = None) -> bool:
        """Try to have everything, or one signal, sent; False: something is pending."""
        deadline_s = time.monotonic() + timeout_s
        self.await_adoption(timeout_s)
        self._hurry()
        return self._wait_until_empty(deadline_s, signal)

    def stop(self, timeout_s: float) -> None:
        """Stop everything within the time; what was not sent waits in the spool.

        Sooner, where each sender has nothing or was just told to come again: what is
        on disk needs no second try.
        """
        deadline_s = time.monotonic() + timeout_s
        self._is_running = False
        if self._adopter is not None:
            self._adopter.stop()
        failures = {signal: d.failures for signal, d in self._deliveries.items()}
        self._hurry()
        self._wait_until_empty(deadline_s, None, lambda: self._gives_up(failures))
        for delivery in self._deliveries.values():
            delivery.stop(max(deadline_s - time.monotonic(), 0.05))
        if self.directory is None:
            for signal, records in self.spool.pending().items():
                self.books.drop(signal, DropReason.SHUTDOWN, records)
        self.book(self.spool.close())

    def spool_status(self) -> dict[str, Any]:
        """Return where rows wait, how much, and since when, as JSON."""
        oldest_ns = self.spool.oldest_ns()
        return {
            "directory": None if self.directory is None else str(self.directory),
            "bytes": self.spool.size_bytes(),
            "oldest_s": None if oldest_ns is None else _age_s(oldest_ns),
        }

    def last_errors(self) -> dict[str, str | None]:
        """Return what last went wrong on the way out, per signal."""
        return {
            signal.value: delivery.last_error
            for signal, delivery in dict(self._deliveries).items()
        }

    def _open_destination(self, signal: Signal) -> Destination:
        settings, warnings = export_settings(signal, self._settings.export)
        self._warnings.extend(text for text in warnings if text not in self._warnings)
        return open_destination(signal, settings)

    def _add(self, signal: Signal, destination: Destination) -> None:
        delivery = Delivery(signal, self.spool, destination, self.books)
        delivery.on_sent = self._tell_of_sent
        self._deliveries[signal] = delivery
        self.destinations[signal.value] = destination.name

    def _open_adopted(self, signal: Signal) -> None:
        try:
            self.open(signal)
        except ConfigError as error:
            self._complaints.say(signal, f"Nobody sends adopted {signal}: {error}")
        else:
            self.wake(signal)

    def _tell_of_sent(self) -> None:
        self.on_sent()

    def _hurry(self) -> None:
        for delivery in list(self._deliveries.values()):
            delivery.hurry()

    def _gives_up(self, failures: Mapping[Signal, int]) -> bool:
        """Return whether whoever has something to send has failed once more by now."""
        return self.directory is not None and all(
            self._deliveries[signal].failures > before or not self.books.pending(signal)
            for signal, before in failures.items()
        )

    def _wait_until_empty(
        self,
        deadline_s: float,
        signal: Signal | None,
        gives_up: Callable[[], bool] = lambda: False,
    ) -> bool:
        while self.books.pending(signal):
            if time.monotonic() >= deadline_s or gives_up():
                return False
            time.sleep(_POLL_S)
        return True


def _age_s(since_ns: int) -> float:
    return max(time.time_ns() - since_ns, 0) / 1e9


def _spool_directory(settings: Settings) -> Path | None:
    if settings.spool.durability == "memory" or settings.spool.max_mib == 0:
        return None
    return Path(settings.spool.directory)


def _open_spool(settings: Settings, directory: Path | None, judge: Judge) -> Spool:
    max_bytes = settings.spool.max_mib * _MIB or _MEMORY_BYTES
    recent = RecentRows(
        directory,
        max_bytes=max_bytes // _RECENT_SHARE,
        max_age_h=settings.consent.recent_h,
        judge=judge,
    )
    return Spool(
        directory,
        max_bytes=max_bytes,
        judge=judge,
        recent=recent,
        max_age_s=settings.spool.max_age_s,
        when_full="refuse" if settings.spool.when_full == "refuse" else "drop",
        synchronous=settings.spool.durability == "sync",
    )
