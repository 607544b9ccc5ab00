"""SQLite as the spool uses it: its table, its settings, its first checks.

::

    rows(id, signal, subject, consent_group, priority, records, revision,
         attempts, created_ns, checksum, body)     CRC-32 of the body
      rows_by_signal (signal)               the sender reads oldest first, by id
      rows_by_worth  (priority, created_ns)  what goes first when room runs out

A change of the table is a new format, with its number in the file's ``user_version``.
New files have the newest. The first one had no checksums to begin with.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA_VERSION = 2

_CHECKPOINT_PAGES = 256
"""1 MiB of WAL. With large rows a commit that also checkpoints then stalls half as
long as with SQLite's 1000 pages, for a tenth more CPU (measured)."""
_SYNCED_CHECKPOINT_PAGES = 1000
"""Where callers wait for commits: one that also checkpoints waits for four syncs, not
for one, so they are to be rare. A little less than the log is cut back to: otherwise it
would be cut and grow again, for more syncs."""

_CREATE = f"""
BEGIN;
CREATE TABLE rows (
    id INTEGER PRIMARY KEY,
    signal TEXT NOT NULL,
    subject TEXT NOT NULL,
    consent_group TEXT NOT NULL,
    priority INTEGER NOT NULL,
    records INTEGER NOT NULL,
    revision TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX rows_by_signal ON rows (signal);
CREATE INDEX rows_by_worth ON rows (priority, created_ns);
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


def open_database(
    path: Path | None,
    *,
    synchronous: bool,
    exclusive: bool = False,
    max_bytes: int | None = None,
) -> sqlite3.Connection:
    """Return a connection to a spool file, or to memory; any thread may use it.

    The table is made where it is missing. Whoever shares the connection between
    threads holds one lock around each use, closing included.

    Args:
        path: None: memory.
        synchronous: Whether what is committed is on disk.
        exclusive: Whether no other process may read along. The log then needs no
            memory map, which cannot be trusted on every file system.
        max_bytes: How large the file may grow; None: however large.

    Raises:
        sqlite3.Error: It cannot be opened, is no database or has a newer format.
    """
    connection = sqlite3.connect(
        ":memory:" if path is None else path,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if exclusive:  # before anything is read: later the map would be there
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _prepare(connection, synchronous=synchronous)
        if max_bytes is not None:
            size = connection.execute("PRAGMA page_size").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {max_bytes // size}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, *, synchronous: bool) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if synchronous else 'NORMAL'}")
    pages = _SYNCED_CHECKPOINT_PAGES if synchronous else _CHECKPOINT_PAGES
    connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
    connection.execute("PRAGMA journal_size_limit = 4194304")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        connection.executescript(_CREATE)
    elif not 0 < version <= SCHEMA_VERSION:
        raise sqlite3.NotSupportedError(f"spool format {version} is not known")


def has_checksums(connection: sqlite3.Connection) -> bool:
    """Return whether rows have one: some of the first format have none."""
    columns = connection.execute("PRAGMA table_info(rows)")
    return any(name == "checksum" for _, name, *_ in columns)


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error means that the file can never be used again.

    It is malformed, or no database at all.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit what the body did, or nothing of it if it raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
