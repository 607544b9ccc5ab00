"""What waits in the spool files of a directory, read without disturbing anybody."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from jupyter_otel.cli.tables import table
from jupyter_otel.spool.files import is_locked
from jupyter_otel.spool.owners import read_owner, this_kernel

_TIMEOUT_S = 1.0
_WAITING = "SELECT signal, SUM(records), MIN(created_ns) FROM rows GROUP BY signal"


class SpoolUse(StrEnum):
    """Whether a process has a spool file open."""

    LIVE = "live"
    WAITING = "waiting"
    """Its process is gone; the next one takes it over."""
    ELSEWHERE = "elsewhere"
    """On another machine, or on this one before it was started anew."""


class SpoolState(NamedTuple):
    """One spool file, of a running process or of one that is gone."""

    file: Path
    use: SpoolUse
    host: str | None
    """The machine of its process, as that calls itself."""
    size_bytes: int
    pending: Mapping[str, int] | None
    """Records by signal; None where the file cannot be read at this moment."""
    oldest_s: float | None
    """How long the oldest has waited."""

    @property
    def records(self) -> int:
        """How many records wait, as far as can be seen."""
        return sum((self.pending or {}).values())

    def to_json(self) -> dict[str, object]:
        """Return the object that ``--json`` prints for a spool."""
        return {
            "file": str(self.file),
            "state": self.use.value,
            "host": self.host,
            "bytes": self.size_bytes,
            "pending": self.pending,
            "oldest_s": self.oldest_s,
        }


def read_spools(directory: Path) -> list[SpoolState]:
    """Return the state of each spool file in a folder."""
    return [_read(path) for path in sorted(directory.glob("*.sqlite"))]


def spool_table(directory: Path, spools: Sequence[SpoolState]) -> str:
    """Return a line for each spool file, under a head."""
    head = (f"SPOOL FILE IN {directory}", "STATE", "KIB", "RECORDS", "OLDEST")
    return table(head, map(_table_row, spools), cut=False)


def _table_row(spool: SpoolState) -> tuple[str, ...]:
    is_elsewhere = spool.use is SpoolUse.ELSEWHERE and spool.host
    state = f"on {spool.host}" if is_elsewhere else spool.use.value
    pending = "?" if spool.pending is None else str(spool.records)
    oldest = "-" if spool.oldest_s is None else f"{spool.oldest_s:.0f} s"
    return spool.file.name, state, f"{spool.size_bytes / 2**10:.0f}", pending, oldest


def _read(path: Path) -> SpoolState:
    owner = read_owner(path.with_suffix(".owner"))
    host = None if owner is None else owner.host
    is_here = owner is None or owner.kernel == this_kernel()
    pending: dict[str, int] | None = None
    oldest_s = None
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_TIMEOUT_S)) as database:
            rows = database.execute(_WAITING).fetchall()
        pending = {signal: records for signal, records, _ in rows}
        oldest_ns = min((row[2] for row in rows), default=None)
        if oldest_ns is not None:
            oldest_s = max(time.time_ns() - oldest_ns, 0) / 1e9
    except sqlite3.Error:
        pass  # of a newer version, damaged, or its process lets nobody read along
    use = SpoolUse.WAITING if is_here else SpoolUse.ELSEWHERE
    if is_locked(path):
        use = SpoolUse.LIVE
    return SpoolState(path, use, host, size_bytes(path), pending, oldest_s)


def size_bytes(path: Path) -> int:
    """Return a spool's bytes; 0 where its process has just removed it."""
    total = 0
    for part in (path, path.with_name(f"{path.name}-wal")):
        try:
            total += part.stat().st_size
        except OSError:
            continue
    return total
