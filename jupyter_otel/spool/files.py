"""A spool's file and the lock that says its process lives.

::

    <directory>/                  0700
      <random>.sqlite             0600, with SQLite's -wal and -shm beside it
      <random>.owner              on which machine (``owners.py``)
      <random>.lock               held as long as the process that writes lives
      <random>.corrupt            could not be read and was set aside, with its -wal

Names are random and never used twice, and a database goes before its lock file: who
gets a lock and finds no database has come too late, whatever inode it has locked.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from jupyter_otel.errors import SpoolError
from jupyter_otel.spool.owners import read_owner, take_over, this_kernel, write_owner
from jupyter_otel.spool.places import is_shared

_SUFFIX = ".sqlite"
_BEING_MADE_NS = 60 * 10**9
_BEATS_PER_TOUCH = 60


class SpoolFile:
    """One spool file whose lock this process holds.

    Args:
        path: Of the database.
        lock: Held.
        is_shared: Whether other machines may see it: its memory maps are not to be
            trusted, and its owner gives signs of life.
    """

    def __init__(self, path: Path, lock: FileLock, *, is_shared: bool) -> None:
        self.path = path
        self.is_shared = is_shared
        self._lock = lock
        self._beats = 0

    @property
    def note(self) -> Path:
        """Where it says whose it is."""
        return self.path.with_suffix(".owner")

    def beat(self) -> None:
        """Give a sign of life: to machines that see the file but not its lock.

        And, rarely, to whoever cleans up what looks forgotten.
        """
        if self.is_shared or self._beats % _BEATS_PER_TOUCH == 0:
            for path in (self.path, self.note, Path(self._lock.lock_file)):
                with suppress(OSError):
                    os.utime(path)
        self._beats += 1

    def is_there(self) -> bool:
        """Return whether the file and what protects it are there, and still ours.

        Another machine may have taken over what gave no sign of life: this one slept.
        """
        names = (self.path, self.note, Path(self._lock.lock_file))
        return all(name.exists() for name in names) and not self._is_anothers()

    def give_up(self) -> None:
        """Remove a file that is used no more, unless it is another machine's by now."""
        if self._is_anothers():
            self.release()
        else:
            self.delete()

    def set_aside(self) -> Path:
        """Rename a file that cannot be read, so that nobody tries it again."""
        aside = self.path.with_suffix(".corrupt")
        for end in ("-wal", ""):  # the log first: without its file nobody looks at it
            name = self.path.with_name(f"{self.path.name}{end}")
            with suppress(OSError):
                name.replace(aside.with_name(f"{aside.name}{end}"))
        self.delete()
        return aside

    def delete(self) -> None:
        """Remove the file, what SQLite put beside it, and give its lock back."""
        beside = (self.path.with_name(self.path.name + end) for end in ("-wal", "-shm"))
        with suppress(OSError):
            # The database first: without its log alone, deleted rows would come back.
            for path in (self.path, *beside, self.note, Path(self._lock.lock_file)):
                path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Give the lock back: from now on another process may adopt the file."""
        self._lock.release(force=True)

    def _is_anothers(self) -> bool:
        owner = read_owner(self.note) if self.is_shared else None
        return owner is not None and owner.kernel != this_kernel()


def create_spool_file(directory: Path, *, shared: bool | None = None) -> SpoolFile:
    """Make a new, empty spool file, locked, that only its owner can read.

    Args:
        directory: Made if it is not there.
        shared: Whether other machines may see it; None: find out.

    Raises:
        SpoolError: The directory or the file cannot be made.
    """
    path = directory / f"{uuid.uuid4().hex}{_SUFFIX}"
    try:
        _make(directory)
        shared = is_shared(directory) if shared is None else shared
        lock = _lock(path)
        lock.acquire(blocking=False)
        file = SpoolFile(path, lock, is_shared=shared)
        write_owner(file.note, beats=shared)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except (OSError, Timeout) as error:
        raise SpoolError(
            f"OtelSpool.directory must be a directory that can be written, "
            f"got {str(directory)!r} ({type(error).__name__}: {error}). "
            f"Name one that this account owns."
        ) from error
    return file


def _make(directory: Path) -> None:
    """Make a directory whose name outlives a crash of the machine."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in missing:
        with suppress(OSError):  # not every file system can
            descriptor = os.open(each.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def claim_orphans(
    directory: Path, may_be_alive: Callable[[Path], bool], *, shared: bool
) -> Iterator[SpoolFile]:
    """Lock and yield the spool files whose processes are dead, oldest first.

    Args:
        directory: Where they lie.
        may_be_alive: Whether a free lock does not prove an owner's death.
        shared: Whether other machines may see it.
    """
    for path in sorted(directory.glob(f"*{_SUFFIX}"), key=_age):
        # Asked before the lock is touched, and first of all whose file it is.
        owner = read_owner(path.with_suffix(".owner"))
        if may_be_alive(path):
            continue
        file = _claim(path, shared=shared)
        if file is None:
            continue
        is_ours = owner is not None and owner.kernel == this_kernel()
        if is_ours or take_over(file.note, owner, beats=shared):
            yield file
        else:
            file.release()
    _sweep(directory)


def is_locked(path: Path) -> bool:
    """Return whether a process that this machine can see has a spool file open."""
    lock = _lock(path)
    if not Path(lock.lock_file).exists():
        return False
    try:
        lock.acquire(blocking=False)
    except (OSError, Timeout):
        return True
    lock.release()
    return False


def _sweep(directory: Path) -> None:
    """Remove what is left of files whose deletion was interrupted."""
    for lock in directory.glob("*.lock"):
        path = lock.with_suffix(_SUFFIX)
        # A file that is being made has its lock first.
        if not path.exists() and time.time_ns() - _age(lock) > _BEING_MADE_NS:
            _claim(path, shared=False)


def _claim(path: Path, *, shared: bool) -> SpoolFile | None:
    lock = _lock(path)
    try:
        lock.acquire(blocking=False)
    except (OSError, Timeout):
        return None
    file = SpoolFile(path, lock, is_shared=shared)
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
