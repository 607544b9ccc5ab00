"""A spool's database while it is open: replaced when it is damaged, closed in the end.

Only the spool uses it, under its lock. What is in the table is not known here.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from jupyter_otel.complaints import Complaints
from jupyter_otel.errors import SpoolError
from jupyter_otel.spool.database import is_damage, open_database, transaction
from jupyter_otel.spool.files import SpoolFile, create_spool_file


class Store:
    """The connection to a spool's file, or to memory.

    Args:
        directory: None: memory.
        synchronous: Whether what is committed is on disk.
        shared: Whether other machines may see the directory; None: find out.

    Raises:
        SpoolError: The directory cannot be written.
    """

    def __init__(
        self, directory: Path | None, *, synchronous: bool, shared: bool | None = None
    ) -> None:
        self._directory = directory
        self._shared = shared
        self._synchronous = synchronous
        self._complaints = Complaints()
        self._file: SpoolFile | None = None
        self.connection: sqlite3.Connection | None = self._open()
        """None: closed."""

    @property
    def path(self) -> Path | None:
        """Where the rows are on disk; None: in memory."""
        return self._file.path if self._file else None

    def execute(
        self,
        statement: Callable[[sqlite3.Connection, Iterable[int]], None],
        ids: Sequence[int],
    ) -> bool:
        """Do something to rows in a transaction; return whether it was done."""
        if self.connection is None or not ids:
            return False
        try:
            with transaction(self.connection) as connection:
                statement(connection, ids)
        except sqlite3.Error:
            return False
        return True

    def recover(self, error: sqlite3.Error) -> bool:
        """Report an error; return whether the file had to be replaced by a new one."""
        self._complaints.say(
            "spool",
            f"The spool {self.path or 'in memory'} fails ({error}); records that it "
            "cannot keep are dropped and counted. Free some disk space, or set "
            "OtelSpool.directory to a place that has some.",
        )
        if self.connection is None or self._file is None or not is_damage(error):
            return False
        self.connection.close()
        self._file.set_aside()
        try:
            self.connection = self._open()
        except SpoolError:
            self._file = None
            self.connection = open_database(None, synchronous=False)
        return True

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
        if self._directory is not None:
            self._file = create_spool_file(self._directory, shared=self._shared)
        try:
            return open_database(
                self.path,
                synchronous=self._synchronous,
                exclusive=self._file is not None and self._file.is_shared,
            )
        except sqlite3.Error as error:
            raise SpoolError(f"The spool cannot be opened: {error}.") from error
