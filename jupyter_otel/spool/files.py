"""A spool's file and the lock that says its process lives.

::

    <directory>/                  0700
      <random>.sqlite             0600, with SQLite's -wal and -shm beside it
      <random>.lock               held as long as the process that writes lives

Names are random and never used twice, and a database goes before its lock file: who
gets a lock and finds no database has come too late, whatever inode it has locked.
"""

import os
import uuid
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from jupyter_otel.errors import SpoolError

_SUFFIX = ".sqlite"


class SpoolFile:
    """One spool file whose lock this process holds."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self._lock = lock

    def set_aside(self) -> Path:
        """Rename a file that cannot be read, so that nobody tries it again."""
        aside = self.path.with_suffix(".corrupt")
        with suppress(OSError):
            self.path.replace(aside)
        self.delete()
        return aside

    def delete(self) -> None:
        """Remove the file, what SQLite put beside it, and give its lock back."""
        # The database first: without its log alone, deleted rows would come back.
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Give the lock back: from now on another process may adopt the file."""
        self._lock.release(force=True)


def create_spool_file(directory: Path) -> SpoolFile:
    """Make a new, empty spool file, locked, that only its owner can read.

    Raises:
        SpoolError: The directory or the file cannot be made.
    """
    path = directory / f"{uuid.uuid4().hex}{_SUFFIX}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _lock(path)
        lock.acquire(blocking=False)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except (OSError, Timeout) as error:
        raise SpoolError(
            f"OtelSpool.directory must be a directory that can be written, "
            f"got {str(directory)!r} ({type(error).__name__}: {error}). "
            f"Name one that this account owns."
        ) from error
    return SpoolFile(path, lock)


def claim_orphans(directory: Path) -> list[SpoolFile]:
    """Lock and return the spool files whose processes are dead, oldest first."""
    claimed = (_claim(path) for path in sorted(directory.glob(f"*{_SUFFIX}"), key=_age))
    return [file for file in claimed if file is not None]


def _claim(path: Path) -> SpoolFile | None:
    lock = _lock(path)
    try:
        lock.acquire(blocking=False)
    except (OSError, Timeout):
        return None
    file = SpoolFile(path, lock)
    if path.exists():
        return file
    file.delete()
    return None


def _lock(path: Path) -> FileLock:
    # Not thread-local: the process holds it, whichever thread closes the spool.
    return FileLock(path.with_suffix(".lock"), mode=0o600, thread_local=False)


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
