"""``jupyter otel privacy-sheet``: what the live policy collects, for people."""

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from traitlets.config import Config

from jupyter_otel._version import __version__
from jupyter_otel.assembly import build_catalog
from jupyter_otel.config import read_settings
from jupyter_otel.disclosure.collected import Collected
from jupyter_otel.disclosure.describe import describe
from jupyter_otel.disclosure.document import as_html, as_markdown
from jupyter_otel.disclosure.integrity import TRUST, exposures
from jupyter_otel.disclosure.sheet import privacy_sheet
from jupyter_otel.environment import sdk_disabled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "--format",
        choices=("md", "html", "json"),
        default="md",
        help="Markdown (the default), one HTML page, or JSON",
    )
    parser.add_argument(
        "--json",
        action="store_const",
        const="json",
        dest="format",
        help="the same as --format json",
    )


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Print the sheet."""
    settings = read_settings(config)
    catalog = build_catalog(settings)
    collected = describe(settings, catalog, inert=sdk_disabled())
    made = datetime.now(UTC).replace(microsecond=0)
    if arguments.format == "json":
        sys.stdout.write(f"{json.dumps(_as_json(collected, made), indent=2)}\n")
    else:
        told = f"Made {made:%Y-%m-%d %H:%M} UTC by jupyter-otel {__version__}."
        render = as_html if arguments.format == "html" else as_markdown
        sys.stdout.write(render(privacy_sheet(collected, made=told)))
    for warning in catalog.warnings:
        sys.stderr.write(f"Warning: {warning}\n")
    return 0


def _as_json(collected: Collected, made: datetime) -> dict[str, Any]:
    return {
        "made": made.isoformat(),
        "version": __version__,
        "collected": collected.to_json(),
        "trust": TRUST,
        "integrity": [one._asdict() for one in exposures(collected)],
    }
