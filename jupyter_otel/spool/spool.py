"""The spool: rows wait here, on disk or in memory, until a receiver has them.

One process writes a spool file. Threads share it through one lock that is held around
every use of the connection, closing included: SQLite crashes otherwise. Sizes and
counts are kept beside the database, so that nothing is summed while events flow.

A new row is *young*: in memory, so that one whose receiver answers at once never
touches the disk. `Spool.settle` writes those that are still there; the pipeline's
worker calls it in time (``worker.py`` has the bound on what a dying process loses).
Nothing is young in a synchronous spool, nor in one without a directory::

    append ─▶ young ─┬─ acknowledge, discard ─▶ gone, without any I/O
                     └─ settle ─▶ on disk ─▶ acknowledge, discard ─▶ deleted
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from jupyter_otel.errors import SpoolError
from jupyter_otel.spool import judging, table
from jupyter_otel.spool.ages import SteadyClock
from jupyter_otel.spool.forks import keep_from_children
from jupyter_otel.spool.holdings import Holdings
from jupyter_otel.spool.judging import Judge, Lenient, Limits
from jupyter_otel.spool.recent import RecentRows
from jupyter_otel.spool.room import Plan, losses_of, plan_eviction, plan_refusal
from jupyter_otel.spool.rows import Loss, NewRow, Row, StoredRow, none_of_the_future
from jupyter_otel.spool.store import Store
from jupyter_otel.tally import DropReason, Signal

_PATIENCE_S = 0.02
_MAX_YOUNG_BYTES = 4 * 2**20
"""More of them would be a long commit, and memory, for what no receiver takes."""


class Spool:
    """Rows of ready OTLP bytes, kept until they are acknowledged, lost or too old.

    A directory gets a file of its own, which the next process adopts should this one
    die; without a directory the rows live in memory. After `close` every method is
    still safe to call: nothing is leased, and what is appended is lost.

    Raises:
        SpoolError: The directory cannot be written.
    """

    def __init__(  # noqa: PLR0913 - the settings of OtelSpool, one each
        self,
        directory: Path | None,
        *,
        max_bytes: int,
        max_age_s: float,
        when_full: Literal["drop", "refuse"],
        synchronous: bool,
        now_ns: Callable[[], int] | None = None,
        judge: Judge | None = None,
        recent: RecentRows | None = None,
    ) -> None:
        self._judge = judge or Lenient()
        self.recent = recent or RecentRows(None, max_bytes=0, max_age_h=0)
        """What has left lately, of people."""
        self._max_bytes = max_bytes
        self._max_age_ns = int(max_age_s * 1e9)
        self._refuse = when_full == "refuse"
        self.now_ns = now_ns or SteadyClock().now_ns
        """The time that rows are made and grow old by."""
        self._lock = threading.Lock()
        self._synchronous = synchronous
        self._max_young = 0 if synchronous or directory is None else _MAX_YOUNG_BYTES
        self._held = Holdings(
            Store(directory, synchronous=synchronous, max_bytes=max_bytes)
        )
        keep_from_children(self)

    @property
    def path(self) -> Path | None:
        """Where the rows are on disk; None: in memory."""
        return self._held.store.path

    @property
    def _connection(self) -> sqlite3.Connection | None:
        return self._held.connection

    def append(self, rows: Sequence[NewRow]) -> list[Loss]:
        """Keep rows, young where they may be; return what was lost for it.

        Lost are older rows of lower priority that had to make room, or some of the
        rows themselves; all of them, as ``spool_error``, when the disk is full or
        fails. A damaged file is set aside, and all that waited in it is lost. Never
        raises.
        """
        with self._lock:
            if self._connection is None:
                return losses_of(rows, DropReason.SHUTDOWN)
            if self._may_be_young(rows):
                now_ns = self.now_ns()
                self._held.add_young(StoredRow(row, 0, now_ns) for row in rows)
                return self._held.inventory.take_losses()
            self._held.settle()
            lost = losses_of(rows, DropReason.SPOOL_ERROR)
            try:
                # In memory it would not be what `sync` promises to be on disk.
                if not (self._synchronous and self._held.store.is_displaced):
                    lost = self._append(self._connection, rows)
            except sqlite3.Error as error:
                self._held.recover(error)
            return [*self._held.inventory.take_losses(), *lost]

    def settle(self) -> list[Loss]:
        """Write the young rows in one transaction; return what was lost. Never raises.

        Rows that the disk does not take are lost, as ``spool_error``; those that are
        leased stay young, as their sender may still get them away.
        """
        with self._lock:
            self._held.settle()
            losses = self._held.inventory.take_losses()
        self.recent.flush()
        return losses

    def weed(self) -> list[Loss]:
        """Erase rows that must not leave any more; return what was lost. Never raises.

        Those that are being sent at this moment are erased if they come back.
        """
        self._judge.refresh()
        with self._lock:
            if self._connection is None:
                return []
            try:
                found = [*self._held.young.origins(), *table.origins(self._connection)]
                self._held.condemn(judging.unfit(found, self._judge))
            except sqlite3.Error as error:
                self._held.recover(error)
            self._held.store.compact()
            return self._held.inventory.take_losses()

    def has_doomed(self) -> bool:
        """Return whether a sender has rows that `weed` would have erased."""
        with self._lock:
            return self._held.inventory.has_doomed

    def take_losses(self) -> list[Loss]:
        """Return losses that no caller has been told of yet."""
        with self._lock:
            return self._held.inventory.take_losses()

    def take_over(
        self, rows: Sequence[StoredRow], accept: Callable[[Signal, int], None]
    ) -> bool:
        """Keep rows of another spool if all of them fit; say whether they did.

        ``accept`` books them before any of them can be leased.

        Raises:
            SpoolError: The spool cannot be written. None of the rows is kept.
        """
        with self._lock, self._used() as connection:
            size = sum(len(row.row.body) for row in rows)
            if connection is None or size > self._max_bytes - self._held.inventory.size:
                return False
            self._held.write(connection, none_of_the_future(rows, self.now_ns()))
            for stored in rows:
                accept(stored.row.signal, stored.row.records)
            return True

    def lease(
        self, signal: Signal, *, max_rows: int, max_bytes: int, max_records: int = 2**31
    ) -> list[Row]:
        """Return the oldest rows without removing them, oldest first.

        At least one row, whatever its size, if any waits. A row stays leased until
        `acknowledge`, `release` or `discard`. Rows that must not leave any more are
        erased instead: see `take_losses`.

        Raises:
            SpoolError: The spool cannot be read. Nothing has been leased.
        """
        limits = Limits(max_rows, max_bytes, max_records)
        self._judge.refresh()
        with self._lock, self._used():
            waiting = self._held.waiting(signal)
            leased, refused = judging.select(waiting, self._judge, limits)
            rows = [each.row for each in leased]
            self._held.inventory.lease(rows)
            self.recent.watch(leased)
            self._held.condemn(refused)
        return rows

    def acknowledge(self, ids: Sequence[int]) -> None:
        """Remove rows that the receiver has. Never raises.

        Rows that the disk does not let go are not leased again by this process.
        """
        self.recent.keep(ids)
        with self._lock:
            self._held.finish(ids)

    def discard(self, ids: Sequence[int]) -> None:
        """Remove rows that will never be sent; the caller books them. Never raises."""
        self.recent.forget(ids)
        with self._lock:
            self._held.finish(ids)

    def release(self, ids: Sequence[int]) -> None:
        """Give rows back that cannot be sent now, one attempt older. Never raises."""
        self.recent.forget(ids)
        with self._lock:
            if doomed := self._held.release(ids):
                self._held.condemn(doomed)
                self._held.store.compact()

    def expire(self) -> list[Loss]:
        """Remove rows older than the age limit; return what was lost. Never raises."""
        with self._lock:
            self._held.settle()
            limit_ns = self.now_ns() - self._max_age_ns
            try:
                if self._connection is not None:
                    old = table.made_before(self._connection, limit_ns)
                    self._held.condemn(
                        [judging.condemned(row, DropReason.EXPIRED) for row in old]
                    )
            except sqlite3.Error as error:
                self._held.recover(error)
            return self._held.inventory.take_losses()

    def pending(self) -> dict[Signal, int]:
        """Return how many records wait, leased ones included, per signal; at once."""
        return {signal: self._held.inventory.pending[signal] for signal in Signal}

    def size_bytes(self) -> int:
        """Return the size of all bodies that wait; at once."""
        return self._held.inventory.size

    def oldest_ns(self) -> int | None:
        """Return when the oldest waiting row was made; None if none waits.

        None too while a disk that hangs holds the spool up: this asks on event loops.
        """
        if not self._lock.acquire(timeout=_PATIENCE_S):
            return None
        try:
            return self._held.oldest_ns()
        finally:
            self._lock.release()

    def beat(self) -> None:
        """Give a sign of life to machines that see the file but not its lock."""
        self._held.store.beat()

    def close(self) -> list[Loss]:
        """Close the spool; return what the disk did not take.

        An empty file is removed, another waits for adoption.
        """
        self.recent.close()
        with self._lock:
            if self._connection is None:
                return []
            self._held.close()
            return self._held.inventory.take_losses()

    def disown(self) -> object:
        """Act as closed, in a forked child, without touching the parent's files."""
        inherited = (self._held.disown(), self.recent.disown(), self._lock)
        self._lock = threading.Lock()
        return inherited

    def _may_be_young(self, rows: Sequence[NewRow]) -> bool:
        size = sum(len(row.body) for row in rows)
        free = self._max_bytes - self._held.inventory.size
        return size <= min(free, self._max_young - self._held.young.size)

    def _append(
        self, connection: sqlite3.Connection, rows: Sequence[NewRow]
    ) -> list[Loss]:
        plan = self._plan(connection, rows)
        now_ns = self.now_ns()
        kept = [StoredRow(row, 0, now_ns) for row in plan.keep]
        self._held.write(connection, kept, plan.evict)
        return plan.losses()

    def _plan(self, connection: sqlite3.Connection, rows: Sequence[NewRow]) -> Plan:
        free = self._max_bytes - self._held.inventory.size
        if sum(len(row.body) for row in rows) <= free:
            return Plan(list(rows), [], [])
        if self._refuse:
            return plan_refusal(rows, free)
        worst_first = table.worst_first(connection)
        may_go = (
            row for row in worst_first if not self._held.inventory.is_leased(row.id)
        )
        return plan_eviction(rows, may_go, free, self._max_bytes)

    @contextmanager
    def _used(self) -> Iterator[sqlite3.Connection | None]:
        try:
            yield self._connection
        except sqlite3.Error as error:
            self._held.recover(error)
            raise SpoolError(f"The spool cannot be used: {error}.") from error
