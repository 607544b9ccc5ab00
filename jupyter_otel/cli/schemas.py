"""``jupyter otel schemas list|show|check``: the catalog, and policy's view of it."""

import argparse
import json
import sys

import yaml
from traitlets.config import Config

from jupyter_otel.assembly import build_catalog, build_policy
from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.cli.configuration import add_config_option
from jupyter_otel.cli.schema_check import check_files
from jupyter_otel.cli.tables import table
from jupyter_otel.config import Settings, read_settings
from jupyter_otel.disclosure.labels import labels, property_name
from jupyter_otel.errors import ConfigError
from jupyter_otel.mapping.names import event_name
from jupyter_otel.schema import Level, Schema

_LEVELS = (Level.OPERATIONAL, Level.USAGE, Level.AUDIT)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parts = parser.add_subparsers(dest="part", metavar="list|show|check", required=True)
    listing = parts.add_parser(
        "list", help="all schemas, and whether they are collected"
    )
    show = parts.add_parser(
        "show", help="one schema, and what is done to its properties"
    )
    show.add_argument("id", metavar="ID", help="a schema id")
    check = parts.add_parser(
        "check",
        help="check schemas and overlays; print the overlay still to be filled in",
        epilog=(
            "Exit status: 1 where a file cannot be used or a property has no category. "
            "The server must know both: the schema (its package, or its folder in "
            "OtelPolicy.schema_directories) and the overlay (OtelPolicy.files)."
        ),
    )
    check.add_argument(
        "files", metavar="FILE", nargs="+", help="a schema or an overlay"
    )
    for part in (listing, show, check):
        add_config_option(part, default=argparse.SUPPRESS)
        part.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Do what the part says; 1 where a check failed."""
    settings = read_settings(config)
    if arguments.part == "check":
        return check_files(arguments.files, settings, as_json=arguments.json)
    catalog = build_catalog(settings)
    if arguments.part == "list":
        status = _list(catalog, settings, as_json=arguments.json)
    else:
        status = _show(arguments.id, catalog, settings, as_json=arguments.json)
    for warning in catalog.warnings:
        sys.stderr.write(f"Warning: {warning}\n")
    return status


def _list(catalog: Catalog, settings: Settings, *, as_json: bool) -> int:
    entries = [_entry(schema, catalog, settings) for schema in catalog.schemas()]
    if as_json:
        sys.stdout.write(f"{json.dumps(entries, indent=2)}\n")
        return 0
    rows = [
        (
            str(entry["level"] or "-"),
            str(entry["group"]),
            "yes" if entry["refusal"] is None else f"no: {entry['refusal']}",
            str(entry["package"] or "-"),
            str(entry["id"]),
        )
        for entry in entries
    ]
    head = ("FROM LEVEL", "GROUP", "COLLECTED", "PACKAGE", "ID")
    sys.stdout.write(table(head, rows, cut=False))  # an id is there to be copied
    return 0


def _entry(schema: Schema, catalog: Catalog, settings: Settings) -> dict[str, object]:
    """Return what ``--json`` says of a schema, its properties apart."""
    policy = build_policy(settings, catalog)
    return {
        "id": schema.id,
        "version": schema.version,
        "event_name": event_name(schema.id),
        "package": schema.package,
        "origin": schema.origin,
        "level": schema.overlay.level,
        "group": schema.overlay.group,
        "control_plane": schema.overlay.control_plane,
        "refusal": policy.refusal(schema),
    }


def _show(
    identifier: str, catalog: Catalog, settings: Settings, *, as_json: bool
) -> int:
    schema = catalog.find(identifier)
    if schema is None:
        raise ConfigError(
            f"ID must be the id of a schema, got {identifier!r}. "
            "`jupyter otel schemas list` shows all ids."
        )
    entry = _entry(schema, catalog, settings)
    entry["properties"] = _properties(schema, catalog, settings)
    if as_json:
        entry["schema"] = dict(schema.body)
        sys.stdout.write(f"{json.dumps(entry, indent=2)}\n")
        return 0
    sys.stdout.write(_text(entry))
    sys.stdout.write(yaml.safe_dump(dict(schema.body), sort_keys=False))
    return 0


def _properties(
    schema: Schema, catalog: Catalog, settings: Settings
) -> dict[str, dict[str, object]]:
    """Return for each property its category, and what each level does to it."""
    at = {
        level: labels(schema, build_policy(settings, catalog, level))
        for level in _LEVELS
    }
    return {
        property_name(path): {
            "category": decision.category,
            "rule": decision.why,
            "actions": {level: at[level][path].action for level in _LEVELS},
        }
        for path, decision in at[Level.OPERATIONAL].items()
    }


def _text(entry: dict[str, object]) -> str:
    facts = [(key, value) for key, value in entry.items() if key != "properties"]
    lines = [f"{key}: {'-' if value is None else value}\n" for key, value in facts]
    properties = entry["properties"]
    assert isinstance(properties, dict)  # noqa: S101 - made above
    rows = [
        (
            name,
            str(one["category"] or "-"),
            *map(str, one["actions"].values()),
            one["rule"],
        )
        for name, one in properties.items()
    ]
    head = ("PROPERTY", "CATEGORY", *(level.upper() for level in _LEVELS), "RULE")
    return f"{''.join(lines)}\n{table(head, rows)}\n"
