"""What one cell has opened so far: each dataset once, the rest counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

MAX_RECORDED = 998
"""Accesses of one cell that are recorded singly. With a summary at its end, and one of
what its threads did later, these are 1000 events."""
MAX_SUMMARIES = 2
UNEXPLAINED_BYTES = 32 * 1024 * 1024
"""So much read and not of a recorded dataset is told: imports read some MiB, too."""

_IO = Path("/proc/self/io")


class CellLog:
    """The datasets of one cell."""

    def __init__(self, msg_id: str) -> None:
        self.msg_id = msg_id
        self.further = 0
        """Accesses after the last one that was recorded singly."""
        self.is_full = False
        """Whether from now on accesses are only counted."""
        self.is_followed = False
        """Whether what its threads do after its end is going to be told."""
        self.known_bytes = 0
        """How much of what the cell reads is explained by what is recorded."""
        self._noted: set[tuple[str, ...]] = set()
        """By their names as written."""
        self._reported: set[tuple[str, ...]] = set()
        """By their names as reported: of two ways to write a path one is enough."""
        self._told = 0
        self._summaries = 0
        self._read_before = read_bytes()

    def note(self, *access: str) -> bool:
        """Return whether an access is the first of its kind here, and keep it."""
        if access in self._noted:
            return False
        if self.is_full:
            self.further += 1
            return False
        self._noted.add(access)
        self.is_full = len(self._noted) >= MAX_RECORDED
        return True

    def report(self, *access: str) -> bool:
        """Return whether an access is to be reported: the first of its cleaned name."""
        if access in self._reported:
            return False
        self._reported.add(access)
        return True

    def summary(self) -> dict[str, Any] | None:
        """Return what is left to say, as properties of an event; None: nothing."""
        if self._summaries == MAX_SUMMARIES:
            return None
        now = read_bytes()
        read = None if now is None else max(now - (self._read_before or 0), 0)
        unexplained = (read or 0) - self.known_bytes
        if self.further == self._told and unexplained < UNEXPLAINED_BYTES:
            return None
        data: dict[str, Any] = {"operation": "summary", "recorded": len(self._reported)}
        data["further"] = self.further
        if read is not None:
            data["read_bytes"] = read
        self._summaries += 1
        self._told, self.known_bytes = self.further, read or 0
        return data


def read_bytes() -> int | None:
    """Return what this process has read so far, None where nobody counts it (Linux)."""
    try:
        first = _IO.read_bytes().split(b"\n", 1)[0]
    except OSError:
        return None
    return int(first.split()[1]) if first.startswith(b"rchar:") else None
