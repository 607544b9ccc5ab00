"""The catalog: every schema known here, each with what overlays say about it.

::

    find(id):  application  >  administrators' folders  >  ours  >  installed packages
               register()      schema_directories        schemas/events   on first miss

Schemas that another registry took (`Catalog.adopt`) are found by id last of all: who
adopts one holds it. The same id with two bodies is two schemas, told apart by origin.
"""

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from threading import RLock
from typing import Any

from jupyter_otel.catalog.declared import declared_by
from jupyter_otel.catalog.dialects import dialect_of, faults
from jupyter_otel.catalog.files import (
    parse_body,
    read_body,
    schema_files,
    schemas_root,
    snapshot,
)
from jupyter_otel.catalog.installed import installed_files
from jupyter_otel.catalog.located import LocatedFile
from jupyter_otel.catalog.overlays import Overlays, our_overlays, read_overlay
from jupyter_otel.catalog.references import References
from jupyter_otel.catalog.schema_ids import schema_id, schema_version
from jupyter_otel.catalog.validation import Validator, compile_validator
from jupyter_otel.complaints import printable
from jupyter_otel.errors import SchemaError
from jupyter_otel.schema import Action, Category, Level, Schema

_OUR_ID = re.compile(r"https://events\.jupyter\.org/jupyter_otel/([a-z_]+)/v[0-9]+")
_OUR_PACKAGE = "jupyter-otel"


class _Tier(IntEnum):
    """Where a schema comes from, the strongest first."""

    APPLICATION = 0
    DIRECTORY = 1
    OURS = 2
    INSTALLED = 3
    ADOPTED = 4


class Catalog:
    """Finds schemas by id, reads bodies into schemas. Safe from several threads.

    Our own and installed packages' schemas are read when first asked for. `warnings` is
    for people; `categories` holds what administrators' overlays change for whole
    categories.

    Args:
        overlay_files: Administrators' overlays, later ones win over earlier ones and
            over ours.
        schema_directories: Administrators' folders of further schemas.

    Raises:
        SchemaError: A file cannot be used; the message names file, line and key.
    """

    def __init__(
        self,
        *,
        overlay_files: Sequence[Path] = (),
        schema_directories: Sequence[Path] = (),
    ) -> None:
        self.warnings: list[str] = []
        self._lock = RLock()
        self._overlay_files = [_administrators(path) for path in overlay_files]
        self._overlays: Overlays | None = None
        self.categories: Mapping[Category, Mapping[Level, Action]] = Overlays(
            self._overlay_files
        ).categories
        self._schemas: dict[str, list[Schema]] = {}
        self._found: dict[str, tuple[_Tier, Schema]] = {}
        self._validators: dict[Schema, Validator] = {}
        self._our_files_read: set[Path] = set()
        self._installed_read = False
        for directory in schema_directories:
            self._read_directory(directory)

    def register(
        self,
        body: Mapping[str, Any] | Path | str,
        *,
        origin: str = "application",
        package: str | None = None,
    ) -> Schema:
        """Return the schema of a body: a mapping, a file's path or YAML text.

        The same body again gives the same schema. Another body under a known id is
        found by that id from now on, with a warning.

        Raises:
            SchemaError: It is not a schema, breaks its draft's rules, refers to
                something outside itself, or its id has control characters.
        """
        read, named = _read(body, origin)
        return self._register(read, named, package, _Tier.APPLICATION)

    def adopt(self, body: Mapping[str, Any], origin: str) -> Schema:
        """Return the schema of a body that another registry has taken already.

        What is odd about it is a warning. A known schema with that id and an equal
        body is returned itself.
        """
        read, identifier = self._lenient(body, origin)
        with self._lock:
            self.find(identifier)
            known = self._equal(identifier, read)
            if known is not None:
                return known
            for oddity in _oddities(read):
                self._warn(f"{origin}: {oddity}")
            return self._add(read, identifier, origin, None, _Tier.ADOPTED)

    def find(self, schema_id: str) -> Schema | None:
        """Return the schema that an application would mean by an id, if any."""
        if schema_id not in self._found:
            with self._lock:
                self._read_ours(schema_id)
                if schema_id not in self._found:
                    self._read_installed()
        found = self._found.get(schema_id)
        return None if found is None else found[1]

    def schemas(self) -> list[Schema]:
        """Return all schemas, those that another one hides included, by id."""
        with self._lock:
            for path in sorted((schemas_root() / "events").glob("*.yaml")):
                self._read_our_file(path)
            self._read_installed()
            return [s for key in sorted(self._schemas) for s in self._schemas[key]]

    def validator(self, schema: Schema) -> Validator:
        """Return what judges data by a schema, compiled at first use."""
        validator = self._validators.get(schema)
        if validator is None:
            with self._lock:
                validator = self._validators.get(schema) or compile_validator(schema)
                if schema not in self._validators and validator.slow_reason:
                    self._warn(f"{schema.id}: {validator.slow_reason}")
                self._validators[schema] = validator
        return validator

    def _read_directory(self, directory: Path) -> None:
        for path in schema_files(directory):
            self._register(read_body(path), str(path), None, _Tier.DIRECTORY)

    def _read_ours(self, identifier: str) -> None:
        ours = _OUR_ID.fullmatch(identifier)
        if ours is not None:
            self._read_our_file(schemas_root() / "events" / f"{ours[1]}.yaml")

    def _read_our_file(self, path: Path) -> None:
        if path not in self._our_files_read and path.is_file():
            self._our_files_read.add(path)
            body = snapshot(read_body(path), path.name)
            self._add_once(body, f"jupyter_otel/{path.name}", _OUR_PACKAGE, _Tier.OURS)

    def _read_installed(self) -> None:
        if self._installed_read:
            return
        self._installed_read = True
        for file in installed_files():
            try:
                body = snapshot(read_body(file.path), file.origin)
                self._add_once(body, file.origin, file.package, _Tier.INSTALLED)
            except SchemaError as error:
                self._warn(str(error))

    def _add_once(
        self, body: Mapping[str, Any], origin: str, package: str, tier: _Tier
    ) -> None:
        identifier = schema_id(body, origin)
        if self._equal(identifier, body) is None:
            self._add(body, identifier, origin, package, tier)

    def _register(
        self, body: Mapping[str, Any], origin: str, package: str | None, tier: _Tier
    ) -> Schema:
        read = snapshot(body, origin)
        identifier = schema_id(read, origin)
        _require_printable(identifier, origin)
        with self._lock:
            self.find(identifier)
            known = self._equal(identifier, read)
            if known is not None and package in (None, known.package):
                self._found[identifier] = (tier, known)
                return known
            self._require_sound(read, origin)
            _require_closed(read, origin)
            return self._add(read, identifier, origin, package, tier)

    def _require_sound(self, body: Mapping[str, Any], origin: str) -> None:
        found = faults(body)
        for fault in found:
            if not fault.harmless:
                raise SchemaError(
                    f"{origin} is not a valid JSON Schema ({dialect_of(body).uri}): "
                    f"{fault.what}. Correct it there."
                )
            self._warn(f"{origin}: not a valid JSON Schema: {fault.what}")

    def _lenient(
        self, body: Mapping[str, Any], origin: str
    ) -> tuple[Mapping[str, Any], str]:
        """Return a body and its id whatever they are; nothing of a hopeless one."""
        try:
            read = snapshot(body, origin)
            return read, schema_id(read, origin)
        except SchemaError as error:
            self._warn(str(error))
            return {}, str(body.get("$id", ""))

    def _equal(self, identifier: str, body: Mapping[str, Any]) -> Schema | None:
        known = self._schemas.get(identifier, ())
        return next((schema for schema in known if schema.body == body), None)

    def _add(
        self,
        body: Mapping[str, Any],
        identifier: str,
        origin: str,
        package: str | None,
        tier: _Tier,
    ) -> Schema:
        schema = Schema(
            id=identifier,
            version=schema_version(body, identifier),
            package=package,
            origin=origin,
            body=body,
            root=declared_by(References(body), body),
            overlay=self._all_overlays().about(identifier),
        )
        self._warn_of_twins(schema)
        self._schemas.setdefault(identifier, []).append(schema)
        found = self._found.get(identifier)
        if found is None or tier <= found[0]:
            self._found[identifier] = (tier, schema)
        return schema

    def _all_overlays(self) -> Overlays:
        if self._overlays is None:
            self._overlays = Overlays([*our_overlays(), *self._overlay_files])
        return self._overlays

    def _warn_of_twins(self, schema: Schema) -> None:
        for twin in self._schemas.get(schema.id, ()):
            self._warn(_twins(twin, schema))

    def _warn(self, warning: str) -> None:
        warning = printable(warning)
        if warning not in self.warnings:
            self.warnings.append(warning)


def _read(
    body: Mapping[str, Any] | Path | str, origin: str
) -> tuple[Mapping[str, Any], str]:
    """Return a body and where it comes from, a file by its path."""
    if isinstance(body, Path):
        return read_body(body), str(body)
    if isinstance(body, str):
        _require_text(body, origin)
        return parse_body(body, origin), origin
    if isinstance(body, Mapping):
        return body, origin
    raise SchemaError(
        f"{origin}: a schema must be a mapping, a path or YAML text, "
        f"not {type(body).__name__}."
    )


def _require_text(text: str, origin: str) -> None:
    if text.endswith((".json", ".yaml", ".yml")) and "\n" not in text:
        raise SchemaError(
            f"{origin}: a schema's text must be YAML or JSON, got what looks like a "
            f"path, {text!r}. Give a pathlib.Path."
        )


def _administrators(path: Path) -> LocatedFile:
    """Return an overlay that OtelPolicy.files names."""
    if not path.is_file():
        base = "" if path.is_absolute() else f", looked for in {Path.cwd()}"
        raise SchemaError(
            f"OtelPolicy.files must name files that are there, got {str(path)!r}"
            f"{base}. Correct the path; an absolute one holds wherever the server is "
            "started."
        )
    return read_overlay(path)


def _twins(earlier: Schema, later: Schema) -> str:
    if earlier.origin == later.origin:
        return (
            f"{later.id} was registered again by {later.origin} with another body, "
            "which is the one that counts from now on"
        )
    return (
        f"{later.id} has two bodies, one from {earlier.origin} and one from "
        f"{later.origin}; both are kept, each for the events of its own origin"
    )


def _require_printable(identifier: str, origin: str) -> None:
    if not identifier.isprintable():
        raise SchemaError(
            f"{origin}: the schema's `$id` has characters that cannot be seen: "
            f"'{printable(identifier)}'. Leave them out."
        )


def _require_closed(body: Mapping[str, Any], origin: str) -> None:
    outside = References(body).outside()
    if outside:
        raise SchemaError(
            f"{origin}: `{outside[0]}` leads out of the schema, and nothing is "
            "ever fetched. Copy what it means under `$defs` and refer to it there."
        )


def _oddities(body: Mapping[str, Any]) -> list[str]:
    """Return what `Catalog.register` would have refused a body for."""
    invalid = [f"not a valid JSON Schema: {fault.what}" for fault in faults(body)]
    return invalid + [
        f"`{reference}` leads out of the schema and is never fetched"
        for reference in References(body).outside()
    ]
