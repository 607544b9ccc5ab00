"""A spool's database while it is open: replaced when it is damaged or has gone.

Only the spool uses it, under its lock. What is in the table is not known here.
"""

import errno
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from jupyter_otel.complaints import Complaints
from jupyter_otel.errors import SpoolError
from jupyter_otel.spool import table
from jupyter_otel.spool.database import is_damage, open_database, transaction
from jupyter_otel.spool.files import SpoolFile, create_spool_file

_AGAIN_S = 60.0
_MAX_FILE = 2
"""How large a file may be for what it holds: small rows need as much again."""
_LEAST_FILE_BYTES = 2**18
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Store:
    """The connection to a spool's file, or to memory.

    Where a directory was given but has no room, is damaged or has gone, the rows are in
    memory until a file can be made again.

    Args:
        directory: None: memory.
        synchronous: Whether what is committed is on disk.
        max_bytes: How much the rows hold, at most; the file may be twice as large.
        shared: Whether other machines may see the directory; None: find out.

    Raises:
        SpoolError: The directory cannot be written.
    """

    def __init__(
        self,
        directory: Path | None,
        *,
        synchronous: bool,
        max_bytes: int = 2**26,
        shared: bool | None = None,
    ) -> None:
        self._directory = directory
        self._shared = shared
        self._synchronous = synchronous
        self._max_bytes = max_bytes
        self._complaints = Complaints()
        self._file: SpoolFile | None = None
        self._try_again_at = 0.0
        self.connection: sqlite3.Connection | None
        """None: closed."""
        try:
            self.connection = self._open()
        except SpoolError as error:
            if not _is_for_want_of_room(error.__cause__):
                raise
            self._complain(error.__cause__)
            self.connection = self._open_memory()

    @property
    def path(self) -> Path | None:
        """Where the rows are on disk; None: in memory."""
        return self._file.path if self._file else None

    @property
    def is_displaced(self) -> bool:
        """Whether the rows are not in the file that they should be in."""
        if self._directory is None or self.connection is None:
            return False
        return self._file is None or not self._file.is_there()

    def execute(
        self,
        statement: Callable[[sqlite3.Connection, Iterable[int]], None],
        ids: Sequence[int],
    ) -> bool:
        """Do something to rows in a transaction; return whether it was done.

        It waits for no disk: what a crash of the machine undoes is done once more.
        """
        if self.connection is None or not ids:
            return False
        try:
            with self.transaction(self.connection, durable=False) as connection:
                statement(connection, ids)
        except sqlite3.Error:
            return False
        return True

    @contextmanager
    def transaction(
        self, connection: sqlite3.Connection, *, durable: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """Commit what the body did, or nothing of it if it raised.

        ``durable``: on the disk itself, if the store is synchronous. Half of the syncs
        that callers in `sync` waited for were for rows that had been sent already.
        """
        if self._synchronous:
            connection.execute(
                f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}"
            )
        with transaction(connection):
            yield connection

    def recover(self, error: sqlite3.Error) -> bool:
        """Report an error; return whether the file had to be replaced by a new one."""
        self._complain(error)
        if self.connection is None or self._file is None or not is_damage(error):
            return False
        self.connection.close()
        self._file.set_aside()
        try:
            self.connection = self._open()
        except SpoolError:
            self.connection = self._open_memory()
        return True

    def move(self) -> None:
        """Bring displaced rows into a new file, if one can be made by now.

        Raises:
            sqlite3.Error: The rows cannot be copied; they stay where they are.
        """
        displaced, file = self.connection, self._file
        if displaced is None or (
            file is None and time.monotonic() < self._try_again_at
        ):
            return
        self._try_again_at = time.monotonic() + _AGAIN_S
        try:
            connection = self._open()
        except SpoolError as error:
            self._complain(error.__cause__)
            connection = self._open_memory()
        try:
            table.copy(displaced, connection)
        except sqlite3.Error:
            connection.close()
            self._give_up_file()
            self._file = file
            raise
        self.connection = connection
        displaced.close()
        if file is not None:
            file.give_up()

    def compact(self) -> None:
        """Have nothing of deleted rows left in the file. Never raises."""
        if self.connection is not None and self._file is not None:
            with suppress(sqlite3.Error):
                self.connection.execute("VACUUM")
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def beat(self) -> None:
        """Give a sign of life."""
        file = self._file
        if file is not None:
            file.beat()

    def close(self, *, is_empty: bool) -> None:
        """Close it; an empty file is removed, another waits for adoption."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        if self._file is not None:
            if is_empty:
                self._file.delete()
            self._file.release()

    def disown(self) -> object:
        """Act as closed, in a forked child; return what it must never close."""
        inherited = (self.connection, self._file)
        self.connection = self._file = None
        return inherited

    def _open(self) -> sqlite3.Connection:
        if self._directory is None:
            return self._open_memory()
        self._file = create_spool_file(self._directory, shared=self._shared)
        try:
            return open_database(
                self.path,
                synchronous=self._synchronous,
                exclusive=self._file.is_shared,
                max_bytes=max(_MAX_FILE * self._max_bytes, _LEAST_FILE_BYTES),
            )
        except sqlite3.Error as error:
            self._give_up_file()
            raise SpoolError(f"The spool cannot be opened: {error}.") from error

    def _open_memory(self) -> sqlite3.Connection:
        self._file = None
        return open_database(None, synchronous=False)

    def _give_up_file(self) -> None:
        if self._file is not None:
            self._file.delete()
            self._file = None

    def _complain(self, error: BaseException | None) -> None:
        self._complaints.say(
            "spool",
            f"The spool {self.path or self._directory or 'in memory'} fails ({error}); "
            "records that it cannot keep are dropped and counted. Free some disk "
            "space, or set OtelSpool.directory to a place that has some.",
        )


def _is_for_want_of_room(error: BaseException | None) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
