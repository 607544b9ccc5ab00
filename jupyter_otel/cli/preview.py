"""``jupyter otel preview``: what would be exported of events, without sending any."""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from traitlets.config import Config

from jupyter_otel.cli.emit import json_object, register
from jupyter_otel.errors import ConfigError
from jupyter_otel.telemetry import Telemetry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default="-",
        help='JSON lines {"schema_id": …, "data": {…}}; - or nothing: standard input',
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="say for each property what is done to it and which rule says so",
    )
    parser.add_argument(
        "--no-consent",
        action="store_true",
        help="assume that the person has not agreed, instead of a yes",
    )
    parser.add_argument(
        "--register", metavar="FILE", help="a schema that is not in the catalog yet"
    )


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Print a JSON line for each event."""
    with Telemetry(config, source="app") as telemetry, _opened(arguments.file) as file:
        register(telemetry, arguments.register)
        for event in _events(file, arguments.file):
            result = telemetry.preview(
                event["schema_id"],
                event["data"],
                consent=not arguments.no_consent,
                explain=arguments.explain,
                timestamp=_time(event),
            )
            sys.stdout.write(f"{json.dumps(result)}\n")
            sys.stdout.flush()
    return 0


class _Unclosed:
    """Lends standard input without closing it."""

    def __enter__(self) -> TextIO:
        return sys.stdin

    def __exit__(self, *_: object) -> None:
        """Leave it open."""


def _opened(name: str) -> _Unclosed | TextIO:
    if name == "-":
        return _Unclosed()
    try:
        return Path(name).open(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"FILE must be a file that can be read, got {name!r} ({error.strerror}). "
            "Correct the path, or write - for standard input."
        ) from error


def _events(file: TextIO, name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        place = f"{'standard input' if name == '-' else name} line {number}"
        event = json_object(line, place)
        if not isinstance(event.get("schema_id"), str) or not isinstance(
            event.get("data"), dict
        ):
            raise ConfigError(
                f'{place} must have "schema_id" (text) and "data" (an object), got '
                f"{', '.join(event) or 'nothing'}. Add what is missing."
            )
        yield event


def _time(event: dict[str, Any]) -> datetime | None:
    """Return the event's own time, where it says one that can be read."""
    try:
        return datetime.fromisoformat(event["timestamp"])
    except (KeyError, TypeError, ValueError):
        return None
