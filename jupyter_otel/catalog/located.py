"""YAML read together with the line of every key, for messages that point at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from jupyter_otel.catalog.files import read_text, snapshot, yaml_fault
from jupyter_otel.errors import SchemaError

Place: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the root."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_DEPTH = 50
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class LocatedFile:
    """A YAML file's content and where in the file each part of it stands."""

    path: Path
    content: dict[str, Any]
    lines: dict[Place, int]

    def origin(self, place: Place) -> str:
        """Return ``file:line`` of a place, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path.name}:{self.lines.get(place, 1)}"

    def point(self, place: Place) -> str:
        """Return ``file:line: key`` for a message, the file by its whole path."""
        line = self.origin(place).rpartition(":")[2]
        key = ".".join(f'"{p}"' if "." in str(p) else str(p) for p in place)
        return f"{self.path}:{line}: {key or 'the file'}"


def read_located(path: Path) -> LocatedFile:
    """Return a YAML file with the lines of its keys.

    Keys become text, as in JSON: ``true``, ``404``.

    Raises:
        SchemaError: It cannot be read, is not YAML, is no mapping or repeats a key.
    """
    loader = _Loader(read_text(path))
    try:
        root = loader.get_single_node()
        lines = dict(_lines(path, root, ())) if root is not None else {}
        content = loader.construct_document(root) if root is not None else {}
    except (yaml.YAMLError, RecursionError) as error:
        raise SchemaError(f"{path} is not YAML: {yaml_fault(error)}.") from error
    finally:
        loader.dispose()
    if not isinstance(content, dict):
        raise SchemaError(f"{path}:1: an overlay must be a mapping with `schemas:`.")
    return LocatedFile(path, snapshot(content, str(path)), lines)


def _lines(path: Path, node: yaml.Node, place: Place) -> Iterator[tuple[Place, int]]:
    if len(place) > _MAX_DEPTH:
        raise SchemaError(f"{path}: nested deeper than {_MAX_DEPTH} levels.")
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*place, index), item.start_mark.line + 1
            yield from _lines(path, item, (*place, index))
    if isinstance(node, yaml.MappingNode):
        yield from _key_lines(path, node, place)


def _key_lines(
    path: Path, node: yaml.MappingNode, place: Place
) -> Iterator[tuple[Place, int]]:
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.tag != _MERGE and str(key.value) in seen:
            raise SchemaError(
                f"{path}:{line}: {key.value} is there twice; YAML would keep the last "
                "one only. Merge the two."
            )
        seen.add(str(key.value))
        yield (*place, str(key.value)), line
        yield from _lines(path, value, (*place, str(key.value)))
