"""Where a command reads records: the embedded default's folder, and its options."""

import argparse
import sys
from pathlib import Path

from traitlets.config import Config

from jupyter_otel.config import Settings, read_settings
from jupyter_otel.environment import export_settings
from jupyter_otel.errors import ConfigError
from jupyter_otel.export.checks import public_url
from jupyter_otel.tally import Signal


def add_place_arguments(
    parser: argparse.ArgumentParser, what: str, *, last: int
) -> None:
    """Declare the options of a command that reads the embedded default."""
    parser.add_argument(
        "--directory", metavar="DIR", help="read here, not in OtelExport.directory"
    )
    parser.add_argument(
        "--last",
        metavar="N",
        type=_count,
        default=last,
        help=f"show the last N {what} (default {last})",
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help=f"wait for further {what}; end with Ctrl-C",
    )
    parser.add_argument(
        "--schema", metavar="GLOB", default="*", help="only of schemas with such an id"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object a line"
    )


def directory_to_read(given: str | None, config: Config, signal: Signal) -> Path:
    """Return the folder to read; say where records go now, if not there.

    Raises:
        ConfigError: It is not there.
    """
    settings = read_settings(config)
    directory = Path(given) if given is not None else settings.export.directory
    elsewhere = _elsewhere(signal, settings) if given is None else None
    if elsewhere is not None:
        sys.stderr.write(f"{signal.capitalize()} go {elsewhere}, not to {directory}.\n")
    if directory.is_dir():
        return directory
    name = "OtelExport.directory" if given is None else "--directory"
    level = ", or set OtelPolicy.level so that something is collected"
    raise ConfigError(
        f"{name} must be a folder that records were written to, got "
        f"{str(directory)!r}. Give --directory DIR{'' if elsewhere else level}."
    )


def _elsewhere(signal: Signal, settings: Settings) -> str | None:
    """Return where records go if not to the folder of the embedded default."""
    export = export_settings(signal, settings.export).settings
    if export.kind == "otlp":
        return f"to {public_url(export.endpoint)}"
    return {"console": "to the console", "none": "nowhere"}.get(export.kind)


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a number from 1, got {text!r}")
