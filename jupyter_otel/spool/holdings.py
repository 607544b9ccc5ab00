"""What one spool holds: rows on disk and young ones, and the numbers on both, in step.

Only the spool uses it, under its lock. What may stay, what must go and who may have it
is decided there; what a file is, in ``store.py``.
"""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import attrgetter

from jupyter_otel.spool import judging, table
from jupyter_otel.spool.inventory import Inventory
from jupyter_otel.spool.judging import Waiting
from jupyter_otel.spool.room import KeptRow
from jupyter_otel.spool.rows import StoredRow
from jupyter_otel.spool.store import Store
from jupyter_otel.spool.young import YoungRows
from jupyter_otel.tally import Signal


class Holdings:
    """The rows of a spool, wherever they are, each counted once.

    Args:
        store: Where rows are written.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.inventory = Inventory()
        self.young = YoungRows()

    @property
    def connection(self) -> sqlite3.Connection | None:
        """The store's; None: closed."""
        return self.store.connection

    def add_young(self, rows: Iterable[StoredRow]) -> None:
        """Keep rows in memory alone."""
        for stored in rows:
            self.young.add(self.inventory.next_id(), stored)
            self.inventory.add(stored.row)

    def write(
        self,
        connection: sqlite3.Connection,
        rows: Sequence[StoredRow],
        evict: Sequence[KeptRow] = (),
    ) -> None:
        """Put rows on disk, and others away for them, in one transaction.

        Raises:
            sqlite3.Error: Nothing of it was done.
        """
        with self.store.transaction(connection):
            table.delete(connection, [row.id for row in evict])
            table.insert(connection, [(self.inventory.next_id(), row) for row in rows])
        for old in evict:
            self.inventory.remove(Signal(old.signal), old.records, old.size)
        for stored in rows:
            self.inventory.add(stored.row)

    def settle(self) -> None:
        """Write the young rows; what the disk does not take is lost. Never raises."""
        if self.store.is_displaced:
            self._move()
        if self.connection is None or not self.young:
            return
        try:
            with self.store.transaction(self.connection) as connection:
                table.insert(connection, self.young)
        except sqlite3.Error as error:
            self._lose_young()
            self.recover(error)
            return
        self.young = YoungRows()

    def waiting(self, signal: Signal) -> Iterator[Waiting]:
        """Read a signal's rows that nobody has leased, oldest first."""
        if self.connection is None:
            return
        rows = heapq.merge(
            table.oldest_first(self.connection, signal),
            self.young.oldest_first(signal),
            key=attrgetter("row.id"),
        )
        for waiting in rows:
            if not self.inventory.is_leased(waiting.row.id):
                yield waiting

    def release(self, ids: Sequence[int]) -> list[judging.Condemned]:
        """Take leases back; return those of the rows that must not leave any more."""
        waiting = self.inventory.release(ids)
        self.store.execute(table.add_attempt, self.young.add_attempt(waiting))
        return self.inventory.take_doomed(waiting)

    def finish(self, ids: Sequence[int]) -> None:
        """Count leased rows as gone, and delete them."""
        self.inventory.finish(ids)
        self.flush_done()

    def condemn(self, rows: Iterable[judging.Condemned]) -> None:
        """Count rows as lost, and delete those that no sender has."""
        self.inventory.condemn(rows)
        self.flush_done()

    def flush_done(self) -> None:
        """Delete finished rows; what fails stays finished, and is tried again."""
        self.inventory.forget(self.young.remove(self.inventory.done))
        done = list(self.inventory.done)
        if self.store.execute(table.delete, done):
            self.inventory.forget(done)

    def recover(self, error: sqlite3.Error) -> None:
        """Go on after an error; with a damaged file all that waited in it is lost."""
        if self.store.recover(error):
            self.inventory.lose_table(self.young)

    def oldest_ns(self) -> int | None:
        """Return when the oldest waiting row was made; None if none waits."""
        if self.connection is None:
            return None
        times = [self.young.oldest_ns()]
        with suppress(sqlite3.Error):
            times.append(table.oldest_ns(self.connection))
        return min((time for time in times if time is not None), default=None)

    def close(self) -> None:
        """Write what can be written, and close the store."""
        self.settle()
        self.flush_done()
        if self.store.is_displaced:
            self.inventory.lose_table(YoungRows())
        self.store.close(is_empty=self.inventory.pending.total() == 0)

    def disown(self) -> object:
        """Act as closed, in a forked child; return what it must never close."""
        self.young = YoungRows()
        return self.store.disown()

    def _move(self) -> None:
        try:
            self.store.move()
        except sqlite3.Error as error:
            self.recover(error)

    def _lose_young(self) -> None:
        idle = {i: row for i, row in self.young if not self.inventory.is_leased(i)}
        for row, *_ in idle.values():
            self.inventory.lose(row)
        self.young.remove(idle)
