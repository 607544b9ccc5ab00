"""What left lately, kept so that each person can read their own records again.

The bytes are those that a receiver took. They lie in one file beside the spool files,
shared by all processes of the account, so that they outlive each of them and one
withdrawal erases all of a person's. What is deleted is overwritten. Losing the file
loses no record: nothing here raises, and a damaged file is begun anew.

::

    lease ─▶ watched ─┬─ acknowledge ─▶ kept (memory) ─ flush ─▶ sent (file)
                      └─ release, discard ─▶ forgotten
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from jupyter_otel.event import TOGETHER
from jupyter_otel.spool.database import is_damage
from jupyter_otel.spool.judging import Judge, Lenient, RowOrigin, Waiting
from jupyter_otel.tally import Signal

_Result = TypeVar("_Result")

FILE_NAME = "recent.sent"

_HOUR_NS = 3600 * 10**9
_MAX_KEPT_BYTES = 2**20
_REST_NS = 2 * 10**9
"""How long nothing is written after a write: it costs the disk more than the bytes."""
_BUSY_S = 1.0

_CREATE = """
CREATE TABLE IF NOT EXISTS sent (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    consent_group TEXT NOT NULL,
    signal TEXT NOT NULL,
    records INTEGER NOT NULL,
    sent_ns INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS sent_by_subject ON sent (subject, sent_ns);
CREATE INDEX IF NOT EXISTS sent_by_age ON sent (sent_ns);
"""
_INSERT = (
    "INSERT INTO sent (subject, consent_group, signal, records, sent_ns, body)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_SURPLUS = (
    "DELETE FROM sent WHERE id IN (SELECT id FROM (SELECT id, sum(length(body))"
    " OVER (ORDER BY sent_ns DESC, id DESC) AS size FROM sent) WHERE size > ?)"
)


class SentRow(NamedTuple):
    """A row that a receiver has."""

    subject: str
    group: str
    signal: Signal
    records: int
    sent_ns: int
    body: bytes
    """A whole serialized request, as it left."""


class RecentRows:
    """The personal rows that left lately. Never raises; safe in any thread.

    Args:
        directory: Where the spool files lie; None: in memory.
        max_bytes: Beyond it the oldest are forgotten early.
        max_age_h: How long they are kept; 0: nothing is.
        now_ns: A clock.
        judge: Says whether a row's person still lets it be kept; None: all do.
    """

    def __init__(
        self,
        directory: Path | None,
        *,
        max_bytes: int,
        max_age_h: float,
        now_ns: Callable[[], int] = time.time_ns,
        judge: Judge | None = None,
    ) -> None:
        self._judge = judge or Lenient()
        self._path = None if directory is None else directory / FILE_NAME
        self._max_bytes = max_bytes
        self._max_age_ns = int(max_age_h * _HOUR_NS)
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._watched: dict[int, Waiting] = {}
        self._kept: list[tuple[RowOrigin, SentRow]] = []
        self._kept_bytes = 0
        self._write_at_ns = 0
        self._connection: sqlite3.Connection | None = None
        self._is_disowned = False

    def watch(self, rows: Iterable[Waiting]) -> None:
        """Remember rows that are being sent, if they are one person's."""
        if not self._max_age_ns:
            return
        with self._lock:
            self._watched |= {
                each.row.id: each
                for each in rows
                if each.origin.subject and TOGETHER not in each.origin.subject
            }

    def keep(self, ids: Iterable[int]) -> None:
        """Keep those of the rows that a receiver now has."""
        with self._lock:
            for row_id in ids:
                waiting = self._watched.pop(row_id, None)
                if waiting is not None:
                    self._keep(waiting)
            if self._kept_bytes > _MAX_KEPT_BYTES:
                self._write()

    def forget(self, ids: Iterable[int]) -> None:
        """Forget rows that were not sent after all."""
        with self._lock:
            for row_id in ids:
                self._watched.pop(row_id, None)

    def flush(self) -> None:
        """Write what was kept, now and then, and delete what is too old or too much."""
        with self._lock:
            if self._kept and self._now_ns() >= self._write_at_ns:
                self._write()

    def read(self, subject: str, max_rows: int) -> list[SentRow]:
        """Return the last rows of one person, the newest first."""
        oldest_ns = self._now_ns() - self._max_age_ns
        with self._lock:
            self._write()
            return self._do(
                lambda connection: _read(connection, subject, oldest_ns, max_rows), []
            )

    def erase(self, subject: str, groups: Collection[str]) -> int:
        """Delete what is kept of a person's groups; return how many records it was."""
        with self._lock:
            self._watched = {
                row_id: waiting
                for row_id, waiting in self._watched.items()
                if waiting.origin.subject != subject
                or waiting.origin.group not in groups
            }
            self._write()
            return self._do(
                lambda connection: sum(
                    _erase(connection, subject, group) for group in groups
                ),
                0,
            )

    def close(self) -> None:
        """Write what was kept, and close the file."""
        with self._lock:
            if self._kept:
                self._write()
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def disown(self) -> object:
        """Do nothing from now on, in a forked child; return the parent's connection."""
        inherited = (self._connection, self._lock)
        self._lock = threading.Lock()
        self._connection, self._is_disowned = None, True
        self._watched, self._kept = {}, []
        return inherited

    def _keep(self, waiting: Waiting) -> None:
        row, origin = waiting
        kept = SentRow(
            origin.subject,
            origin.group,
            row.signal,
            row.records,
            self._now_ns(),
            row.body,
        )
        self._kept.append((origin, kept))
        self._kept_bytes += len(row.body)

    def _write(self) -> None:
        kept, self._kept, self._kept_bytes = self._kept, [], 0
        self._write_at_ns = self._now_ns() + _REST_NS
        self._do(lambda connection: self._store(connection, kept), None)

    def _store(
        self, connection: sqlite3.Connection, kept: list[tuple[RowOrigin, SentRow]]
    ) -> None:
        self._judge.refresh()  # somebody may have said no to another process
        may_stay = [row for origin, row in kept if not self._judge.objection(origin)]
        with connection:
            connection.executemany(_INSERT, may_stay)
            oldest_ns = self._now_ns() - self._max_age_ns
            connection.execute("DELETE FROM sent WHERE sent_ns < ?", (oldest_ns,))
            size = connection.execute("SELECT sum(length(body)) FROM sent").fetchone()
            if (size[0] or 0) > self._max_bytes:
                connection.execute(_SURPLUS, (self._max_bytes,))

    def _do(
        self, use: Callable[[sqlite3.Connection], _Result], failed: _Result
    ) -> _Result:
        """Use the connection; what fails is given up, a damaged file too."""
        try:
            if self._connection is None:
                self._connection = self._open()
            return use(self._connection)
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_damage(error):
                self._begin_anew()
            return failed

    def _open(self) -> sqlite3.Connection:
        if self._is_disowned:
            raise sqlite3.OperationalError("the file is the parent's")
        if self._path is not None:
            flags = os.O_CREAT | os.O_RDWR
            os.close(os.open(self._path, flags, 0o600))
        connection = sqlite3.connect(
            ":memory:" if self._path is None else self._path,
            timeout=_BUSY_S,
            check_same_thread=False,
        )
        try:
            # Without memory maps: several processes write, on any file system.
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.executescript(_CREATE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _begin_anew(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink()


def _read(
    connection: sqlite3.Connection, subject: str, oldest_ns: int, max_rows: int
) -> list[SentRow]:
    found = connection.execute(
        "SELECT subject, consent_group, signal, records, sent_ns, body FROM sent"
        " WHERE subject = ? AND sent_ns >= ? ORDER BY sent_ns DESC, id DESC LIMIT ?",
        (subject, oldest_ns, max_rows),
    )
    sent = map(SentRow._make, found)
    return [row._replace(signal=Signal(row.signal)) for row in sent]


def _erase(connection: sqlite3.Connection, subject: str, group: str) -> int:
    mine = (subject, group)
    with connection:
        found = connection.execute(
            "SELECT sum(records) FROM sent WHERE subject = ? AND consent_group = ?",
            mine,
        ).fetchone()
        connection.execute(
            "DELETE FROM sent WHERE subject = ? AND consent_group = ?", mine
        )
    return found[0] or 0
