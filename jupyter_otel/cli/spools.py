"""What waits in the spool files of this machine, read without disturbing them."""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

_TIMEOUT_S = 1.0
_WAITING = "SELECT signal, SUM(records), MIN(created_ns) FROM rows GROUP BY signal"


class SpoolState(NamedTuple):
    """One spool file, of a running process or of one that is gone."""

    file: Path
    size_bytes: int
    pending: Mapping[str, int] | None
    """Records by signal; None where the file cannot be read at this moment."""
    oldest_s: float | None
    """How long the oldest has waited."""

    def to_json(self) -> dict[str, object]:
        """Return the object that ``status --json`` prints for a spool."""
        return {
            "file": str(self.file),
            "bytes": self.size_bytes,
            "pending": self.pending,
            "oldest_s": self.oldest_s,
        }


def read_spools(directory: Path) -> list[SpoolState]:
    """Return the state of each spool file in a folder."""
    return [_read(path) for path in sorted(directory.glob("*.sqlite"))]


def _read(path: Path) -> SpoolState:
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_TIMEOUT_S)) as database:
            rows = database.execute(_WAITING).fetchall()
    except sqlite3.Error:
        return SpoolState(path, _size_bytes(path), None, None)
    oldest_ns = min((row[2] for row in rows), default=None)
    return SpoolState(
        path,
        _size_bytes(path),
        {signal: records for signal, records, _ in rows},
        None if oldest_ns is None else max(time.time_ns() - oldest_ns, 0) / 1e9,
    )


def _size_bytes(path: Path) -> int:
    """Return a spool's bytes; 0 where its process has just removed it."""
    total = 0
    for part in (path, path.with_name(f"{path.name}-wal")):
        try:
            total += part.stat().st_size
        except OSError:
            continue
    return total
