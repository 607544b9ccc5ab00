"""What a spool holds, in numbers, so that nothing is summed while events flow.

Only the spool touches it, under its lock. Nothing here knows SQLite.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jupyter_otel.spool.judging import Condemned
from jupyter_otel.spool.rows import Loss, NewRow, Row
from jupyter_otel.spool.young import YoungRows
from jupyter_otel.tally import DropReason, Signal


class _Leased(NamedTuple):
    signal: Signal
    records: int
    size: int


class Inventory:
    """Sizes, counts and leases of the rows in one spool."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes of all bodies, leased ones included."""
        self.pending: Counter[Signal] = Counter()
        """Records, leased ones included."""
        self.done: set[int] = set()
        """Leased rows that have their end but may still be in the table."""
        self._leased: dict[int, _Leased] = {}
        self._strays: set[int] = set()
        self._doomed: dict[int, Condemned] = {}
        self._losses: list[Loss] = []
        self._last_id = 0

    def next_id(self) -> int:
        """Return an id that no row of this process has had, whatever its file."""
        self._last_id += 1
        return self._last_id

    def add(self, row: NewRow) -> None:
        """Count a row that was stored."""
        self.size += len(row.body)
        self.pending[row.signal] += row.records

    def remove(self, signal: Signal, records: int, size: int) -> None:
        """Count a row that is gone."""
        self.size -= size
        self.pending[signal] -= records

    def is_leased(self, row_id: int) -> bool:
        """Return whether a sender has the row, or has finished with it."""
        return row_id in self._leased

    def lease(self, rows: Sequence[Row]) -> None:
        """Mark rows as a sender's."""
        for row in rows:
            self._leased[row.id] = _Leased(row.signal, row.records, len(row.body))

    def release(self, ids: Sequence[int]) -> list[int]:
        """Take leases back; return the ids whose rows are really there still."""
        waiting = [row_id for row_id in ids if row_id not in self.done]
        for row_id in waiting:
            leased = self._leased.pop(row_id, None)
            if leased is not None and row_id in self._strays:
                self._strays.discard(row_id)
                self.remove(*leased)
                self._lose(leased.signal, leased.records)
        return waiting

    def finish(self, ids: Sequence[int]) -> None:
        """Count leased rows as gone, each once; they are to be deleted."""
        for row_id in ids:
            self._doomed.pop(row_id, None)
            if row_id in self._leased and row_id not in self.done:
                self.remove(*self._leased[row_id])
                self.done.add(row_id)

    def condemn(self, rows: Iterable[Condemned]) -> None:
        """Count rows as lost that nobody may send any more.

        Those that a sender has are doomed: it may get them away, or bring them back.
        """
        for row in rows:
            row_id, loss, size = row
            if row_id not in self._leased:
                self._leased[row_id] = _Leased(loss.signal, loss.records, size)
                self.finish([row_id])
                self._losses.append(loss)
            elif row_id not in self.done:
                self._doomed[row_id] = row

    @property
    def has_doomed(self) -> bool:
        """Whether a sender has rows that would have been lost."""
        return bool(self._doomed)

    def take_doomed(self, ids: Iterable[int]) -> list[Condemned]:
        """Return those of released rows that are doomed, no more so."""
        return [self._doomed.pop(row_id) for row_id in ids if row_id in self._doomed]

    def forget(self, done: Iterable[int]) -> None:
        """Drop the leases of finished rows: they are deleted."""
        for row_id in set(done):
            self._leased.pop(row_id, None)
            self._strays.discard(row_id)
            self.done.discard(row_id)

    def lose(self, row: NewRow) -> None:
        """Count a row as lost, that no sender has."""
        self.remove(row.signal, row.records, len(row.body))
        self._lose(row.signal, row.records)

    def lose_table(self, young: YoungRows) -> None:
        """Count all rows as lost but the young ones, leased ones once released."""
        self._strays |= self._leased.keys() - self.done
        self._strays.difference_update(row_id for row_id, _ in young)
        kept = [self._leased[row_id] for row_id in self._strays]
        kept += [_Leased(r.signal, r.records, len(r.body)) for _, (r, *_) in young]
        pending: Counter[Signal] = Counter()
        for row in kept:
            pending[row.signal] += row.records
        for signal in Signal:
            if lost := self.pending[signal] - pending[signal]:
                self._lose(signal, lost)
        self.pending, self.size = pending, sum(row.size for row in kept)

    def take_losses(self) -> list[Loss]:
        """Return losses that no caller has been told of yet."""
        losses, self._losses = self._losses, []
        return losses

    def _lose(self, signal: Signal, records: int) -> None:
        self._losses.append(Loss(signal, DropReason.SPOOL_ERROR, records))
