"""``jupyter otel emit``: send one event, from a shell script or any other program."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from traitlets.config import Config

from jupyter_otel.cli.reasons import cure
from jupyter_otel.errors import ConfigError
from jupyter_otel.tally import DropReason, SignalTally
from jupyter_otel.telemetry import Telemetry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "--schema", metavar="ID", required=True, help="id of its schema"
    )
    parser.add_argument(
        "--data", metavar="JSON", required=True, help="a JSON object that fits it"
    )
    parser.add_argument(
        "--register",
        metavar="FILE",
        help="a schema (JSON or YAML) that is not in the catalog yet",
    )


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Send it; 1 when it was refused or dropped."""
    data = json_object(arguments.data, "--data")
    with Telemetry(config, source="app") as telemetry:
        for warning in telemetry.warnings:
            sys.stderr.write(f"Warning: {warning}\n")
        register(telemetry.register_schema, arguments.register)
        telemetry.emit(schema_id=arguments.schema, data=data)
        sent = telemetry.flush()
        logs = telemetry.tally().logs
        for reason in (*logs.refused, *logs.dropped):
            verb = "Refused" if reason in logs.refused else "Dropped"
            why = _why(reason, telemetry, arguments.schema, data)
            sys.stderr.write(f"{verb}: {reason}. {why}\n")
    if logs.refused or logs.dropped:
        return 1
    sys.stdout.write(_outcome(logs, sent=sent))
    return 0


def _why(
    reason: str, telemetry: Telemetry, schema_id: str, data: dict[str, Any]
) -> str:
    """Return what stood in the way of this event, and the cure."""
    schema = telemetry.catalog.find(schema_id) if telemetry.enabled else None
    if reason != DropReason.INVALID or schema is None:
        return cure(reason, schema)
    # A place and a keyword, never a value.
    place = telemetry.catalog.validator(schema).explain(data)
    return (
        f"Its data does not fit its schema at {place}. `jupyter otel schemas show "
        f"{schema_id}` prints it."
    )


def register(make_known: Callable[[Path], object], file: str | None) -> None:
    """Make the schema file known that a command was given, if any.

    Raises:
        ConfigError: There is no such file.
        SchemaError: It is no schema.
    """
    if file is None:
        return
    if not Path(file).is_file():
        raise ConfigError(
            f"--register must be a file that is there, got {file!r}. Correct the path."
        )
    make_known(Path(file))


_QUOTE_IT = "In a shell, put single quotation marks around it: '{\"name\": 1}'."


def json_object(text: str, what: str, cure: str = _QUOTE_IT) -> dict[str, Any]:
    """Return what a text says; no message repeats it, for it is data.

    Args:
        text: JSON.
        what: Names the text for people.
        cure: What to do where it is no JSON at all.

    Raises:
        ConfigError: It is no JSON object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigError(
            f"{what} must be a JSON object, got something else. {cure}"
        ) from None
    if not isinstance(value, dict):
        raise ConfigError(
            f"{what} must be a JSON object, got a {type(value).__name__}. "
            "Put it in braces, with a name."
        )
    return value


def _outcome(logs: SignalTally, *, sent: bool) -> str:
    if sent and logs.sent:
        return "Sent.\n"
    return "Accepted; it waits in the spool until the receiver answers.\n"
