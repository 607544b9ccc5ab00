"""Overlay files, checked, and what they say together about one schema.

An exact id beats a glob, then a later file an earlier one; what is said last wins key
by key, and within ``properties`` path by path. How a rule is chosen for a property and
what a level does to a category is policy's.
"""

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_otel.catalog.files import schemas_root
from jupyter_otel.catalog.located import LocatedFile, Place, read_located
from jupyter_otel.catalog.overlay_rules import (
    overlay_from,
    property_rule,
    read_path,
)
from jupyter_otel.errors import SchemaError
from jupyter_otel.schema import Action, Category, Level, Overlay, PropertyRule

_GLOB_CHARACTERS = frozenset("*?[")


class _Entry(NamedTuple):
    """What one file says under one id or glob."""

    pattern: str
    said: Mapping[str, Any]
    rules: tuple[PropertyRule, ...]

    def matches(self, schema_id: str) -> bool:
        return self.pattern == schema_id or (
            not _GLOB_CHARACTERS.isdisjoint(self.pattern)
            and fnmatchcase(schema_id, self.pattern)
        )


class Overlays:
    """Overlay files in order, the later the stronger."""

    def __init__(self, files: Iterable[LocatedFile] = ()) -> None:
        self._entries: list[_Entry] = []
        self.categories: dict[Category, dict[Level, Action]] = {}
        for file in files:
            self._entries += _entries(file)
            for category, actions in file.content.get("categories", {}).items():
                known = self.categories.setdefault(Category(category), {})
                known |= {Level(at): Action(does) for at, does in actions.items()}

    def about(self, schema_id: str) -> Overlay:
        """Return what all files together say about a schema."""
        matching = [entry for entry in self._entries if entry.matches(schema_id)]
        if not matching:
            return Overlay()
        matching.sort(key=lambda entry: entry.pattern == schema_id)
        said: dict[str, Any] = {}
        rules: dict[tuple[str, ...], PropertyRule] = {}
        for entry in matching:
            said |= entry.said
            rules |= {rule.pattern: rule for rule in entry.rules}
        return overlay_from(said, tuple(rules.values()))


def read_overlay(path: Path, *, checked: bool = True) -> LocatedFile:
    """Return an overlay file's content.

    Args:
        path: The file.
        checked: Whether to hold it against ``schemas/overlay.schema.json``. Our own
            files are, by a test, so that a server need not at every start.

    Raises:
        SchemaError: It breaks the format; the message has file, line, key and cure.
    """
    file = read_located(path)
    if checked:
        _check(file)
    return file


def our_overlays() -> list[LocatedFile]:
    """Return the overlay files that this package ships, in order."""
    paths = sorted((schemas_root() / "overlays").glob("*.yaml"))
    return [read_overlay(path, checked=False) for path in paths]


def _entries(file: LocatedFile) -> list[_Entry]:
    return [
        _Entry(pattern, said, tuple(_rules(file, pattern, said)))
        for pattern, said in file.content.get("schemas", {}).items()
    ]


def _rules(
    file: LocatedFile, pattern: str, said: Mapping[str, Any]
) -> Iterable[PropertyRule]:
    for path, rule in said.get("properties", {}).items():
        origin = file.origin(("schemas", pattern, "properties", path))
        yield property_rule(read_path(path), rule, origin)


def _check(file: LocatedFile) -> None:
    """Hold a file against the format.

    Raises:
        SchemaError: Names the first fault in the file.
    """
    errors = list(_format_validator().iter_errors(file.content))
    faults = sorted((_fault(file, error) for error in errors), key=lambda f: f[0])
    if faults:
        raise SchemaError(faults[0][1])


@cache
def _format_body() -> dict[str, Any]:
    path = schemas_root() / "overlay.schema.json"
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return body


@cache
def _format_validator() -> Any:
    import jsonschema_rs  # noqa: PLC0415 (21 ms, only with administrators' files)

    return jsonschema_rs.Draft202012Validator(_format_body())


def _fault(file: LocatedFile, error: Any) -> tuple[int, str]:
    """Return one fault's line and what a person reads about it."""
    place: Place = tuple(error.instance_path)
    unknown = getattr(error.kind, "unexpected", None)
    if unknown:
        place = (*place, unknown[0])
    line = int(file.origin(place).rpartition(":")[2])
    return line, f"{file.point(place)} {_rule_and_cure(error)}"


def _rule_and_cure(error: Any) -> str:
    kind, format_here = error.kind, _format_around(error)
    if getattr(kind, "unexpected", None):
        known = ", ".join(sorted(format_here["properties"]))
        return f"is not a key of an overlay here. Use one of: {known}."
    if getattr(kind, "options", None):
        options = ", ".join(map(str, kind.options))
        hint = " Put one of them in its place." if error.instance == "TODO" else ""
        return f"must be one of {options}, got {json.dumps(error.instance)}.{hint}"
    if getattr(kind, "types", None):
        return f"must be of type {' or '.join(kind.types)}."
    if error.schema_path[-1] == "anyOf":
        choices = [" and ".join(way["required"]) for way in format_here["anyOf"]]
        return f"must have {', or '.join(choices)}. Add what is missing."
    if error.schema_path[-1] == "not":
        never = format_here["not"]["description"]
        return (
            f"must not be {never}, got {json.dumps(error.instance)}. "
            "Use another name, or leave `attribute` out."
        )
    return f"cannot be used: {error.message}."


def _format_around(error: Any) -> Mapping[str, Any]:
    """Return the part of the format that holds the keyword which an error broke."""
    around: dict[str, Any] = _format_body()
    for part in error.evaluation_path[:-1]:
        below: Any = around[part]
        if part == "$ref":
            below = _format_body()["$defs"][below.rpartition("/")[2]]
        around = below
    return around
