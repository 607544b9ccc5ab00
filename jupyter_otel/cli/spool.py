"""``jupyter otel spool list|replay|discard``: what waits on disk, and its end."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from traitlets.config import Config

from jupyter_otel.cli.configuration import add_config_option
from jupyter_otel.cli.reasons import cure
from jupyter_otel.cli.spool_replay import Replayed, replay
from jupyter_otel.cli.spools import (
    SpoolState,
    SpoolUse,
    read_spools,
    size_bytes,
    spool_table,
)
from jupyter_otel.config import Settings, read_settings
from jupyter_otel.errors import ConfigError
from jupyter_otel.spool.files import claim_orphans
from jupyter_otel.spool.owners import Watch
from jupyter_otel.spool.places import is_shared

_TIMEOUT_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parts = parser.add_subparsers(
        dest="part", metavar="list|replay|discard", required=True
    )
    listing = parts.add_parser("list", help="the spool files, and what waits in each")
    again = parts.add_parser(
        "replay",
        help="send what processes that are gone have left",
        epilog="Exit status: 1 where something could not be sent. A running server "
        "sends its own, and takes over the others within a minute.",
    )
    again.add_argument(
        "--timeout",
        type=float,
        default=_TIMEOUT_S,
        metavar="S",
        help=f"give up after so many seconds (default {_TIMEOUT_S:.0f}); what is not "
        "sent by then waits on",
    )
    discard = parts.add_parser(
        "discard",
        help="drop what processes that are gone have left, and files set aside",
        epilog="Spools of running processes are left alone.",
    )
    discard.add_argument("--yes", action="store_true", help="do not ask")
    for part in (again, discard):
        part.add_argument(
            "--other-machines",
            action="store_true",
            help="those of other machines too, which you know not to be running",
        )
    for part in (listing, again, discard):
        add_config_option(part, default=argparse.SUPPRESS)
        part.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Do what the part says."""
    settings = read_settings(config)
    directory = Path(settings.spool.directory)
    if arguments.part == "list":
        return _list(directory, as_json=arguments.json)
    if arguments.part == "discard":
        return _discard(directory, arguments)
    return _replay(settings, arguments)


def _list(directory: Path, *, as_json: bool) -> int:
    spools, aside = read_spools(directory), _set_aside(directory)
    if as_json:
        _print_json(
            {
                "directory": str(directory),
                "spools": [spool.to_json() for spool in spools],
                "set_aside": [
                    {"file": str(path), "bytes": size_bytes(path)} for path in aside
                ],
            }
        )
        return 0
    if spools:
        sys.stdout.write(spool_table(directory, spools))
    else:
        sys.stdout.write(f"Nothing waits in {directory}.\n")
    for path in aside:
        kib = size_bytes(path) / 2**10
        sys.stdout.write(
            f"{path}: could not be read and was set aside, {kib:.0f} KiB\n"
        )
    return 0


def _discard(directory: Path, arguments: argparse.Namespace) -> int:
    spools, aside = read_spools(directory), _set_aside(directory)
    chosen = [spool for spool in spools if _is_meant(spool, arguments)]
    if not (chosen or aside or arguments.json):
        sys.stdout.write(f"Nothing to discard in {directory}.{_left(spools)}\n")
        return 0
    if not (arguments.yes or _agreed(chosen, aside)):
        sys.stdout.write("Nothing was discarded.\n")
        return 1
    gone = _delete(directory, arguments)
    dropped = [spool for spool in chosen if spool.file in gone]
    for path in aside:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
    records = sum(spool.records for spool in dropped)
    if arguments.json:
        files = {"files": len(dropped), "records": records, "set_aside": len(aside)}
        _print_json(files)
    else:
        sys.stdout.write(f"Discarded {_what(dropped, aside)}.{_left(spools)}\n")
    return 0


def _is_meant(spool: SpoolState, arguments: argparse.Namespace) -> bool:
    if spool.use is SpoolUse.ELSEWHERE:
        return bool(arguments.other_machines)
    return spool.use is SpoolUse.WAITING


def _delete(directory: Path, arguments: argparse.Namespace) -> set[Path]:
    """Delete the files of dead processes; return which."""
    shared = is_shared(directory)
    watch = Watch(is_shared=shared, trusts_locks=arguments.other_machines)
    gone = set()
    for file in claim_orphans(directory, watch.may_be_alive, shared=shared):
        file.delete()
        gone.add(file.path)
    return gone


def _agreed(spools: Sequence[SpoolState], aside: Sequence[Path]) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError(
            "discard must be told to by a person or by --yes, got neither. Add --yes."
        )
    sys.stderr.write(f"Discard {_what(spools, aside)}? They cannot be brought back. ")
    sys.stderr.write("[y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _what(spools: Sequence[SpoolState], aside: Sequence[Path]) -> str:
    records = sum(spool.records for spool in spools)
    said = f"{_counted(records, 'record')} in {_counted(len(spools), 'spool file')}"
    if aside:
        said += f" and {_counted(len(aside), 'file')} set aside"
    return said


def _left(spools: Sequence[SpoolState]) -> str:
    live = sum(spool.use is SpoolUse.LIVE for spool in spools)
    others = sum(spool.use is SpoolUse.ELSEWHERE for spool in spools)
    said = (
        f" {_counted(live, 'spool')} of running processes left alone." if live else ""
    )
    if others:
        said += (
            f" {_counted(others, 'spool')} of other machines: --other-machines if you "
            "know that they are not running."
        )
    return said


def _replay(settings: Settings, arguments: argparse.Namespace) -> int:
    replayed = replay(
        settings,
        timeout_s=arguments.timeout,
        other_machines=arguments.other_machines,
    )
    if arguments.json:
        _print_json(replayed.to_json())
    else:
        sys.stdout.write(_told(replayed))
    return int(bool(replayed.pending or replayed.dropped))


def _told(replayed: Replayed) -> str:
    if not replayed.adopted:
        return f"Nothing waits in {replayed.directory} that can be taken over.\n"
    sent, taken = sum(replayed.sent.values()), sum(replayed.adopted.values())
    lines = [f"Sent {sent} of {_counted(taken, 'record')}.\n"]
    lines += [
        f"Dropped {_counted(records, 'record')}: {reason}. {cure(reason)}\n"
        for reason, records in replayed.dropped.items()
    ]
    if replayed.pending:
        lines.append(f"{_counted(replayed.pending, 'record')} wait on.\n")
    lines += [f"{signal}: {said}\n" for signal, said in replayed.last_error.items()]
    return "".join(lines)


def _set_aside(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.corrupt"))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _print_json(document: object) -> None:
    sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
