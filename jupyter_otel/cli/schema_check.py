"""Check schema and overlay files: can they be used, is every property classified?

Overlays among the files count for the schemas among them.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jupyter_otel.assembly import build_policy
from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.catalog.files import parse_body, read_text
from jupyter_otel.catalog.overlays import read_overlay
from jupyter_otel.cli.schema_guesses import guess
from jupyter_otel.complaints import printable
from jupyter_otel.config import Settings
from jupyter_otel.disclosure.labels import (
    labels,
    node_at,
    property_name,
    subschema_at,
    without_repetition,
)
from jupyter_otel.disclosure.sheet import MEANT
from jupyter_otel.errors import SchemaError
from jupyter_otel.schema import Category, Group, Level, Node, PropertyPath, Schema

_LONGEST_HINT = 100
_OVERLAY_KEYS = frozenset({"schemas", "categories"})


@dataclass(slots=True)
class Checked:
    """What was found out about one file, as ``--json`` prints it."""

    file: str
    kind: str
    id: str | None = None
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    unclassified: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing has to be done."""
        return self.error is None and not self.unclassified


def check_files(files: Sequence[str], settings: Settings, *, as_json: bool) -> int:
    """Print what is found; 1 where a file cannot be used or a property has no label."""
    kinds = {Path(file): _kind(Path(file)) for file in files}
    found = [_check_overlay(path) for path, kind in kinds.items() if kind == "overlay"]
    overlays = [Path(checked.file) for checked in found if checked.error is None]
    catalog = Catalog(
        overlay_files=[*settings.policy.files, *overlays],
        schema_directories=settings.policy.schema_directories,
    )
    todo = []
    for path in (path for path, kind in kinds.items() if kind == "schema"):
        checked, overlay = _check_schema(path, catalog, settings)
        found.append(checked)
        todo.append(overlay)
    if as_json:
        sys.stdout.write(f"{json.dumps([asdict(checked) for checked in found])}\n")
    else:
        _print(found, "".join(todo))
    return int(not all(checked.passed for checked in found))


def _kind(path: Path) -> str:
    """Return what a file is meant to be; one that cannot be read fails as a schema."""
    try:
        keys = set(parse_body(read_text(path), str(path)))
    except SchemaError:
        return "schema"
    return "overlay" if keys and keys <= _OVERLAY_KEYS else "schema"


def _check_overlay(path: Path) -> Checked:
    checked = Checked(str(path), "overlay")
    try:
        read_overlay(path)
    except SchemaError as error:
        checked.error = str(error)
    return checked


def _check_schema(
    path: Path, catalog: Catalog, settings: Settings
) -> tuple[Checked, str]:
    """Return what was found, and the overlay still to be filled in."""
    checked = Checked(str(path), "schema")
    before = len(catalog.warnings)
    try:
        schema = catalog.register(path)
        catalog.validator(schema)
    except SchemaError as error:
        checked.error = str(error)
        return checked, ""
    checked.id = schema.id
    checked.warnings = catalog.warnings[before:]
    decided = labels(schema, build_policy(settings, catalog, Level.AUDIT))
    paths = (path for path, decision in decided.items() if not decision.classified)
    todo = list(dict.fromkeys(without_repetition(schema.root, path) for path in paths))
    checked.unclassified = [property_name(path) for path in todo]
    return checked, _overlay(schema, todo) if todo else ""


def _overlay(schema: Schema, todo: Sequence[PropertyPath]) -> str:
    """Return the part of an overlay that a person has to finish."""
    level, group = schema.overlay.level or Level.USAGE, schema.overlay.group
    lines = [
        f"  {json.dumps(schema.id)}:",
        f"    level: {level}  # or {_others(Level, level, Level.NONE)}",
        f"    group: {group}  # or {_others(Group, group)}",
        "    properties:",
    ]
    lines += [
        f"      {json.dumps(property_name(path))}: TODO  # {_hint(schema, path)}"
        for path in todo
    ]
    return "".join(f"{line}\n" for line in lines)


def _hint(schema: Schema, path: PropertyPath) -> str:
    """Return what helps to decide about a property, on one line."""
    if path[-1] == "**":
        return "all below"
    written = subschema_at(schema, path)
    category = guess(path, written)
    hints = [f"{category}?" if category else "", _types(node_at(schema.root, path))]
    if isinstance(written.get("enum"), list):
        hints[1] = "one of " + ", ".join(map(str, written["enum"]))
    described = written.get("description") or written.get("title")
    hints.append(described if isinstance(described, str) else "")
    line = " - ".join(hint for hint in hints if hint)
    return printable(" ".join(line.split()))[:_LONGEST_HINT]


def _types(node: Node) -> str:
    return ", ".join(sorted(node.types)) or "anything"


def _others(kind: Any, *but: str) -> str:
    return ", ".join(word for word in kind if word not in but)


def _legend() -> str:
    return "".join(f"# {category:<12} {MEANT[category]}\n" for category in Category)


def _print(found: Sequence[Checked], todo: str) -> None:
    for checked in found:
        what = f"{checked.file}: {checked.kind}"
        if checked.error is not None:
            sys.stderr.write(f"{checked.error}\n")
            continue
        count = len(checked.unclassified)
        said = f"{count} without a category: dropped" if count else "ok"
        sys.stderr.write(f"{what}, {said}\n")
        for warning in checked.warnings:
            sys.stderr.write(f"Warning: {warning}\n")
    if todo:
        sys.stdout.write(
            "# Put a category for each TODO, and name this file in OtelPolicy.files.\n"
            "# The schema must be known too: OtelPolicy.schema_directories.\n"
            "# What is hinted at is guessed by name and type: judge for yourself.\n"
            f"{_legend()}schemas:\n{todo}"
        )
