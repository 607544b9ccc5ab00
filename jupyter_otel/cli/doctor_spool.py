"""Checks of the place where records wait: its disk, what it can be trusted with."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.cli.spools import SpoolState, SpoolUse, read_spools
from jupyter_otel.config import Settings
from jupyter_otel.errors import SpoolError
from jupyter_otel.spool.files import create_spool_file
from jupyter_otel.spool.places import file_system, is_shared

_MIB = 2**20
_FILE_TIMES = 2
"""How much larger than its rows a spool's file may be."""


def check_spool(settings: Settings) -> Iterator[Finding]:
    """Say whether records can wait on disk, and how safely."""
    spool = settings.spool
    if spool.durability == "memory" or spool.max_mib == 0:
        what = "records wait in memory only and are lost with the process"
        yield Finding("spool", State.NOTE, what)
        return
    place = Path(spool.directory)
    try:
        create_spool_file(place).delete()  # as the server does
    except SpoolError as error:
        yield Finding("spool", State.FAILED, str(error))
        return
    yield _room(place, spool.max_mib)
    if is_shared(place):
        yield _shared(place)
    yield from _unread(place)


def _room(place: Path, max_mib: int) -> Finding:
    free_mib = shutil.disk_usage(place).free // _MIB
    if free_mib < _FILE_TIMES * max_mib:
        what = (
            f"{free_mib} MiB are free in {place}, OtelSpool.max_mib is {max_mib}, for "
            f"which up to {_FILE_TIMES * max_mib} are needed"
        )
        cure = "Make room, lower max_mib, or name another OtelSpool.directory."
        return Finding("spool", State.WARNING, what, cure)
    waiting = len(list(place.glob("*.sqlite")))
    files = f"{waiting} spool file{'' if waiting == 1 else 's'}"
    what = f"{place} can be written, {free_mib} MiB free, {files} there"
    return Finding("spool", State.OK, what)


def _shared(place: Path) -> Finding:
    what = (
        f"{place} is on {file_system(place)}, which other machines may share: a spool "
        "there locks its file for itself, and another machine takes over what is left "
        "after ten minutes without a sign of life"
    )
    cure = "Name an OtelSpool.directory on a disk of this machine, if it has one."
    return Finding("spool", State.NOTE, what, cure)


def _unread(place: Path) -> Iterator[Finding]:
    """Say what lies there that nobody will send by itself."""
    aside = sorted(place.glob("*.corrupt"))
    if aside:
        what = f"{_files(len(aside))} in {place} could not be read and was set aside"
        cure = "Look at it if you can; `jupyter otel spool discard` removes it."
        yield Finding("spool", State.WARNING, what, cure)
    if unknown := _unknown(read_spools(place)):
        what = f"{_files(unknown)} in {place} cannot be read: of a newer version?"
        cure = "Start that version once, or run `jupyter otel spool discard`."
        yield Finding("spool", State.WARNING, what, cure)


def _unknown(spools: Sequence[SpoolState]) -> int:
    return sum(
        spool.pending is None and spool.use is SpoolUse.WAITING for spool in spools
    )


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"
