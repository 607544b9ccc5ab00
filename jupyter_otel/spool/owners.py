"""Whose a spool file is: the running kernel of its machine, and its signs of life.

::

    <random>.owner     {"kernel": …, "host": …, "beats": true}

A lock that can be taken proves that the owner is dead only where both see the same
locks: on one running kernel, or on a disk of this machine alone. Owners on a shared
file system therefore touch their note from time to time, and a process on another
kernel takes a file over when it has itself watched the note not change for a while:
no clock is compared with another one. Process numbers are never looked at.
"""

import json
import os
import platform
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

BEAT_S = 60.0
SILENCE_S = 10 * BEAT_S
"""How long an owner that gives signs of life must have given none."""
LONG_SILENCE_S = 24 * 3600.0
"""The same for one that gives none, for it believes its disk to be its own."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Owner(NamedTuple):
    """Who writes a spool file."""

    kernel: str
    """Of the running system: another one after a reboot, the same in containers."""
    host: str
    """For people."""
    beats: bool
    """Whether it gives signs of life: others may see its file but not its lock."""


@cache
def this_kernel() -> str:
    """Return what no other running system has, nor this one after a reboot."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"{platform.node()}-{uuid.getnode():x}"


def write_owner(note: Path, *, beats: bool) -> None:
    """Say that this process owns a spool file.

    Raises:
        OSError: It cannot be written, or another has said so.
    """
    owner = Owner(this_kernel(), platform.node(), beats)
    descriptor = os.open(note, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(owner._asdict(), file)


def read_owner(note: Path) -> Owner | None:
    """Return who owns a spool file; None where nobody readable says so."""
    try:
        said = json.loads(note.read_text("utf-8"))
        return Owner(str(said["kernel"]), str(said["host"]), bool(said["beats"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def take_over(note: Path, judged: Owner | None, *, beats: bool) -> bool:
    """Become the owner instead of a dead one; False if another was faster.

    A name can be taken away once only, on any file system.

    Args:
        note: Of the spool file.
        judged: Who owned it when it was found dead.
        beats: Whether this process gives signs of life.
    """
    aside = note.with_suffix(f".{uuid.uuid4().hex}")
    try:
        if judged is not None or note.exists():
            note.rename(aside)
        if read_owner(aside) == judged:
            write_owner(note, beats=beats)
            return True
    except OSError:
        pass
    finally:
        with suppress(OSError):
            # It is somebody faster's, or could not be replaced by ours.
            if not note.exists():
                aside.rename(note)
        with suppress(OSError):
            aside.unlink()
    return False


class Watch:
    """Decides whether the owner of a file can be alive although its lock is free.

    Args:
        is_shared: Whether other machines may see the directory.
        trusts_locks: Whether somebody knows that no other machine is at work there.
        monotonic: A clock that never jumps.
    """

    def __init__(
        self,
        *,
        is_shared: bool,
        trusts_locks: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_shared = is_shared
        self._trusts_locks = trusts_locks
        self._monotonic = monotonic
        self._seen: dict[Path, tuple[Mapping[str, int], float]] = {}
        """What each file looked like, and since when."""

    def may_be_alive(self, database: Path) -> bool:
        """Return whether the lock alone does not prove the owner's death."""
        if self._trusts_locks:
            return False
        owner = read_owner(database.with_suffix(".owner"))
        if owner is not None and owner.kernel == this_kernel():
            return False
        beats = owner is not None and owner.beats
        if not (beats or self._is_shared):
            return False  # this machine's own disk: it was started anew
        silence_s = SILENCE_S if beats else LONG_SILENCE_S
        return self._silent_s(database) < silence_s

    def _silent_s(self, database: Path) -> float:
        now_s, looks = self._monotonic(), _looks(database)
        before, since_s = self._seen.get(database, ({}, now_s))
        if before != looks:
            since_s = now_s
        self._seen[database] = (looks, since_s)
        return now_s - since_s


def _looks(database: Path) -> dict[str, int]:
    """Return what changes with every sign of life."""
    looks = {}
    for path in (
        database,
        database.with_name(f"{database.name}-wal"),
        database.with_suffix(".owner"),
    ):
        with suppress(OSError):
            looks[path.name] = path.stat().st_mtime_ns
    return looks
