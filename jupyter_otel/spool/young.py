"""Rows so new that they are in memory alone: most are sent before they are written.

Only the spool touches them, under its lock; their sizes and leases are counted in its
inventory, like those of all rows. Nothing here knows SQLite.
"""

from collections.abc import Iterable, Iterator

from jupyter_otel.spool.judging import RowOrigin, Waiting
from jupyter_otel.spool.room import KeptRow
from jupyter_otel.spool.rows import NewRow, Row, StoredRow
from jupyter_otel.tally import Signal


class YoungRows:
    """Rows that are not on disk yet, by id, oldest first."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes of all bodies."""
        self._rows: dict[int, StoredRow] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._rows

    def __iter__(self) -> Iterator[tuple[int, StoredRow]]:
        return iter(self._rows.items())

    def add(self, row_id: int, row: StoredRow) -> None:
        """Keep a row; ids only grow."""
        self._rows[row_id] = row
        self.size += len(row.row.body)

    def remove(self, ids: Iterable[int]) -> list[int]:
        """Forget those of the ids that are young; return them."""
        removed = [row_id for row_id in ids if row_id in self._rows]
        for row_id in removed:
            self.size -= len(self._rows.pop(row_id).row.body)
        return removed

    def add_attempt(self, ids: Iterable[int]) -> list[int]:
        """Count one more attempt at sending rows; return the ids that are not young."""
        others = []
        for row_id in ids:
            row = self._rows.get(row_id)
            if row is None:
                others.append(row_id)
            else:
                self._rows[row_id] = row._replace(attempts=row.attempts + 1)
        return others

    def oldest_first(self, signal: Signal) -> Iterator[Waiting]:
        """Read a signal's rows."""
        for row_id, (row, attempts, created_ns) in self._rows.items():
            if row.signal is signal:
                waiting = Row(row_id, signal, row.records, attempts, row.body)
                yield Waiting(waiting, _origin(row, created_ns))

    def origins(self) -> Iterator[tuple[KeptRow, RowOrigin]]:
        """Read whose all rows are, without their bodies."""
        for row_id, (row, _, created_ns) in self._rows.items():
            kept = KeptRow(row_id, row.signal, row.records, len(row.body), row.priority)
            yield kept, _origin(row, created_ns)

    def oldest_ns(self) -> int | None:
        """Return when the oldest row was made; None: there is none."""
        return min((row.created_ns for row in self._rows.values()), default=None)


def _origin(row: NewRow, created_ns: int) -> RowOrigin:
    return RowOrigin(row.subject, row.group, row.revision, created_ns)
