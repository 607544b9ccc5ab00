"""Taking over what dead processes left: each orphan by exactly one other process.

Rows are first written into the adopter's spool, then deleted from the orphan's, chunk
by chunk: a crash in between sends some rows twice and loses none.
"""

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

from jupyter_otel.errors import SpoolError
from jupyter_otel.spool.database import has_checksums, open_database, transaction
from jupyter_otel.spool.files import SpoolFile, claim_orphans
from jupyter_otel.spool.owners import BEAT_S, Watch
from jupyter_otel.spool.places import is_shared
from jupyter_otel.spool.rows import NewRow, StoredRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal

_LOGGER = logging.getLogger(__name__)

_CHUNK_ROWS = 64
_CHUNK_BYTES = 2**20
"""What is moved under one hold of the spool's lock: a few milliseconds."""

_LEAST_BYTES = 512
"""A page of SQLite's smallest size: there is no database without one."""

_OLDEST = (
    "SELECT signal, subject, consent_group, priority, records, revision, body,"
    " attempts, created_ns, {}, id FROM rows ORDER BY id"
)


Accept: TypeAlias = Callable[[Signal, int], None]
"""Books the records of a chunk, before any of them can be leased."""


def adopt_orphans(
    spool: Spool,
    directory: Path,
    accept: Accept = lambda _signal, _records: None,
    watch: Watch | None = None,
) -> dict[Signal, int]:
    """Move what dead processes left in a directory into a spool.

    What does not fit stays where it is, for a later call. Never raises.

    Args:
        spool: Where the rows go; its own file is not an orphan, as it is locked.
        directory: Where spool files lie.
        accept: See there.
        watch: Remembers, from call to call, who has given no sign of life.

    Returns:
        The adopted records per signal.
    """
    adopted: Counter[Signal] = Counter()

    def book(signal: Signal, records: int) -> None:
        accept(signal, records)
        adopted[signal] += records

    shared = is_shared(directory)
    watch = watch or Watch(is_shared=shared)
    for file in claim_orphans(directory, watch.may_be_alive, shared=shared):
        _adopt(spool, file, book)
    return dict(adopted)


class Adopter:
    """A thread that adopts orphans at start, and then whenever somebody has died.

    It also gives the signs of life of this process's own spool.

    Args:
        spool: Of this process.
        directory: Where it and its neighbours lie.
        accept: Books what is adopted.
        wake: Called for each signal that was adopted.
        every_s: How often it looks.
    """

    def __init__(
        self,
        spool: Spool,
        directory: Path,
        accept: Accept,
        wake: Callable[[Signal], None],
        *,
        every_s: float = BEAT_S,
    ) -> None:
        self._every_s = every_s
        self._spool = spool
        self._directory = directory
        self._accept = accept
        self._wake = wake
        self._watch = Watch(is_shared=is_shared(directory))
        self._is_stopped = threading.Event()
        self._has_looked = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="jupyter_otel-adopt", daemon=True
        )

    def start(self) -> None:
        """Begin: beside the start, for what waits may be much."""
        self._thread.start()

    def stop(self) -> None:
        """Adopt nothing more, once what is in hand is done."""
        self._is_stopped.set()

    def wait_for_first_look(self, timeout_s: float) -> None:
        """Return when what lay there at start is adopted, or time is up."""
        self._has_looked.wait(timeout_s)

    def _run(self) -> None:
        while not self._is_stopped.is_set():
            adopted = adopt_orphans(
                self._spool, self._directory, self._accept, self._watch
            )
            for signal in adopted:
                self._wake(signal)
            self._has_looked.set()
            self._is_stopped.wait(self._every_s)
            self._spool.beat()


def _adopt(spool: Spool, file: SpoolFile, book: Callable[[Signal, int], None]) -> None:
    try:
        emptied = _drain(spool, file, book)
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        _give_up(file, error)
        return
    except (SpoolError, OSError):
        emptied = False
    if emptied:
        file.delete()
    else:
        file.release()


def _drain(spool: Spool, file: SpoolFile, book: Callable[[Signal, int], None]) -> bool:
    if _is_cut_off(file.path):
        raise sqlite3.DatabaseError("it is cut off")
    orphan = open_database(file.path, synchronous=False, exclusive=file.is_shared)
    try:
        while chunk := _oldest(orphan):
            if not spool.take_over([stored for _, stored in chunk], book):
                return False
            with transaction(orphan):
                orphan.executemany(
                    "DELETE FROM rows WHERE id = ?", [(row_id,) for row_id, _ in chunk]
                )
        return True
    finally:
        orphan.close()


def _is_cut_off(path: Path) -> bool:
    """Return whether a file is what SQLite would take for an empty one, and is not.

    It would throw away the log beside it.
    """
    log = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size
    return size < _LEAST_BYTES and (size > 0 or log.exists())


def _oldest(orphan: sqlite3.Connection) -> list[tuple[int, StoredRow]]:
    """Return the next chunk with the rows' ids: one row at least, if any is left."""
    chunk: list[tuple[int, StoredRow]] = []
    size = 0
    checksum = "checksum" if has_checksums(orphan) else "NULL"
    for found in orphan.execute(_OLDEST.format(checksum)):
        signal, *rest, body, attempts, created_ns, checksum, row_id = found
        if checksum is not None and crc32(body) != checksum:
            raise sqlite3.DatabaseError("a row is not what was written")
        row = NewRow._make((Signal(signal), *rest, body))
        chunk.append((row_id, StoredRow(row, attempts, created_ns)))
        size += len(body)
        if len(chunk) == _CHUNK_ROWS or size >= _CHUNK_BYTES:
            break
    return chunk


def _give_up(file: SpoolFile, error: Exception) -> None:
    if isinstance(error, sqlite3.OperationalError | sqlite3.NotSupportedError):
        file.release()
        return
    aside = file.set_aside()
    _LOGGER.warning(
        "jupyter_otel: a spool file cannot be read (%s) and was set aside as %s."
        " Its records are not sent; remove it once you have looked at it.",
        error,
        aside,
    )
