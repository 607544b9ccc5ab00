"""Every statement that the spool runs on its table; nothing here decides or counts.

Callers hold the spool's lock, and a transaction around what writes.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from zlib import crc32

from jupyter_otel.spool.database import transaction
from jupyter_otel.spool.judging import RowOrigin, Waiting
from jupyter_otel.spool.room import KeptRow
from jupyter_otel.spool.rows import Row, StoredRow
from jupyter_otel.tally import Signal

_INSERT = (
    "INSERT INTO rows (id, signal, subject, consent_group, priority, records,"
    " revision, attempts, created_ns, checksum, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ALL = (
    "SELECT id, signal, subject, consent_group, priority, records,"
    " revision, attempts, created_ns, checksum, body FROM rows"
)
_OLDEST_FIRST = (
    "SELECT id, records, attempts, body, subject, consent_group, revision, created_ns"
    " FROM rows WHERE signal = ? ORDER BY id"
)
_ORIGINS = (
    "SELECT id, signal, records, length(body), priority, subject, consent_group,"
    " revision, created_ns FROM rows"
)
_WORST_FIRST = (
    "SELECT id, signal, records, length(body), priority FROM rows"
    " ORDER BY priority, created_ns, id"
)
_MADE_BEFORE = (
    "SELECT id, signal, records, length(body), priority FROM rows WHERE created_ns < ?"
)


def insert(
    connection: sqlite3.Connection, rows: Iterable[tuple[int, StoredRow]]
) -> None:
    """Write rows under their ids."""
    connection.executemany(
        _INSERT,
        [
            (row_id, *row[:-1], attempts, created_ns, crc32(row.body), row.body)
            for row_id, (row, attempts, created_ns) in rows
        ],
    )


def delete(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Remove rows; ids that are not there are passed over."""
    statement = "DELETE FROM rows WHERE id = ?"
    connection.executemany(statement, [(row_id,) for row_id in ids])


def add_attempt(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Count one more attempt at sending rows."""
    statement = "UPDATE rows SET attempts = attempts + 1 WHERE id = ?"
    connection.executemany(statement, [(row_id,) for row_id in ids])


def copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Write all rows of one table, ids included, into another that is empty."""
    with transaction(target):
        rows = source.execute(_ALL)
        target.executemany(_INSERT, rows)


def oldest_first(connection: sqlite3.Connection, signal: Signal) -> Iterator[Waiting]:
    """Read a signal's rows."""
    found = connection.execute(_OLDEST_FIRST, (signal,))
    for row_id, records, attempts, body, *origin in found:
        row = Row(row_id, signal, records, attempts, body)
        yield Waiting(row, RowOrigin._make(origin))


def origins(connection: sqlite3.Connection) -> Iterator[tuple[KeptRow, RowOrigin]]:
    """Read whose all rows are, without their bodies."""
    for *kept, subject, group, revision, created_ns in connection.execute(_ORIGINS):
        yield KeptRow._make(kept), RowOrigin(subject, group, revision, created_ns)


def worst_first(connection: sqlite3.Connection) -> Iterator[KeptRow]:
    """Read all rows, lowest priority first, oldest within it."""
    return map(KeptRow._make, connection.execute(_WORST_FIRST))


def made_before(connection: sqlite3.Connection, limit_ns: int) -> Iterator[KeptRow]:
    """Read the rows that are older than a time."""
    return map(KeptRow._make, connection.execute(_MADE_BEFORE, (limit_ns,)))


def oldest_ns(connection: sqlite3.Connection) -> int | None:
    """Return when the oldest row was made; None: there is none."""
    found = connection.execute("SELECT min(created_ns) FROM rows").fetchone()
    return found[0]  # type: ignore[no-any-return]
