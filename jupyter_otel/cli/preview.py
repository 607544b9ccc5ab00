"""``jupyter otel preview``: what would be exported of events, without sending any."""

import argparse
import io
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from traitlets.config import Config

from jupyter_otel.assembly import build_catalog, build_previewer
from jupyter_otel.cli.emit import json_object, register
from jupyter_otel.cli.tables import table
from jupyter_otel.config import read_settings
from jupyter_otel.errors import ConfigError
from jupyter_otel.event import Source, read_time
from jupyter_otel.preview import Asked
from jupyter_otel.tracing.spans import SpanStarter

_AS_IT_IS = "surrogateescape"
"""Bytes that are no UTF-8 become lone surrogates: the pipeline knows those."""


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
    settings = read_settings(config)
    catalog = build_catalog(settings)
    register(catalog.register, arguments.register)
    # Not a Telemetry: that one would also send what dead processes left.
    previewer = build_previewer(settings, catalog, SpanStarter(), Source.APP)
    with _opened(arguments.file) as file:
        for event in _events(file, arguments.file):
            time_ns = read_time(event.get("timestamp"))
            asked = Asked(not arguments.no_consent, arguments.explain, time_ns)
            schema = catalog.find(event["schema_id"])
            result = previewer.preview(schema, event["data"], asked)
            sys.stdout.write(f"{json.dumps(result)}\n")
            sys.stdout.flush()
            if sys.stdout.isatty() and "properties" in result:
                sys.stderr.write(_rules(result["properties"]))
    return 0


def _rules(properties: Mapping[str, Mapping[str, str | None]]) -> str:
    """Return as a table, for a person, what JSON says of each property."""
    head = ("PROPERTY", "ACTION", "CATEGORY", "RULE")
    rows = (
        (name, *(said[key] or "-" for key in ("action", "category", "rule")))
        for name, said in properties.items()
    )
    return table(head, rows)


class _Unclosed:
    """Lends standard input without closing it."""

    def __enter__(self) -> TextIO:
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors=_AS_IT_IS)
        return sys.stdin

    def __exit__(self, *_: object) -> None:
        """Leave it open."""


def _opened(name: str) -> _Unclosed | TextIO:
    if name == "-":
        return _Unclosed()
    try:
        return Path(name).open(encoding="utf-8", errors=_AS_IT_IS)
    except OSError as error:
        raise ConfigError(
            f"FILE must be a file that can be read, got {name!r} ({error.strerror}). "
            "Correct the path, or write - for standard input."
        ) from error


def _events(file: TextIO, name: str) -> Iterator[dict[str, Any]]:
    for number, text in _texts(file):
        place = f"{'standard input' if name == '-' else name} line {number}"
        event = json_object(text, place, "Correct it there.")
        if not isinstance(event.get("schema_id"), str) or not isinstance(
            event.get("data"), dict
        ):
            raise ConfigError(
                f'{place} must have "schema_id" (text) and "data" (an object), got '
                f"{', '.join(event) or 'nothing'}. Add what is missing."
            )
        yield event


def _texts(file: TextIO) -> Iterator[tuple[int, str]]:
    """Yield JSON texts, each a line or more, with the number of the first line."""
    begin, text = 0, ""
    for number, line in enumerate(file, start=1):
        if not text and not line.strip():
            continue
        begin = begin if text else number
        text += line
        if not _is_unfinished(text):
            yield begin, text
            text = ""
    if text:
        yield begin, text


def _is_unfinished(text: str) -> bool:
    """Return whether a text would be JSON if only more came; else it is or never is."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip())
    except (ValueError, RecursionError):
        return False
    return False
