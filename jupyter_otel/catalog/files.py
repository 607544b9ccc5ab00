"""Where our own data files lie, and how a schema file becomes a body.

Overlays are read in `located`, which also knows lines; what a body means is not here.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from jupyter_otel.errors import SchemaError

_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def schemas_root() -> Path:
    """Return our ``schemas`` folder: beside the package, or inside an installed one."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


def schema_files(directory: Path) -> Iterator[Path]:
    """Yield the schema files below a folder, in a stable order.

    Hidden ones are passed over: a mounted Kubernetes ConfigMap shows every file twice.

    Raises:
        SchemaError: There is no such folder.
    """
    if not directory.is_dir():
        raise SchemaError(
            f"{directory}: a schema directory must be a folder that can be read, and "
            "there is none. Create it, or take it out of OtelPolicy.schema_directories."
        )
    for path in sorted(directory.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.suffix in _SUFFIXES and path.is_file() and not hidden:
            yield path


def read_body(path: Path) -> Mapping[str, Any]:
    """Return the JSON Schema in a JSON or YAML file.

    Raises:
        SchemaError: The file cannot be read, or holds no mapping.
    """
    return parse_body(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        SchemaError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SchemaError(f"{path} cannot be read: {reason}.") from error


def parse_body(text: str, origin: str) -> Mapping[str, Any]:
    """Return the JSON Schema that a JSON or YAML text holds.

    Raises:
        SchemaError: The text is neither, or holds no mapping.
    """
    try:
        body = yaml.load(text, Loader=_Loader)  # noqa: S506 (it is a safe loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise SchemaError(f"{origin} is not YAML: {yaml_fault(error)}.") from error
    if isinstance(body, Mapping):
        return body
    raise SchemaError(
        f"{origin}: a schema must be a JSON Schema in JSON or YAML, a mapping with an "
        f"`$id`; this is a {_json_type(body)}. Correct the file or take it away."
    )


def snapshot(body: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return a copy of a body, as JSON would carry it (a YAML date becomes text).

    Raises:
        SchemaError: The body refers to itself by YAML anchors, or is nested too deep.
    """
    try:
        copy: dict[str, Any] = json.loads(json.dumps(body, default=str))
    except (ValueError, TypeError, RecursionError) as error:
        raise SchemaError(
            f"{origin}: a schema must be a tree that JSON can carry, and this one "
            "contains itself, is nested too deep or has odd keys. Use `$ref` instead."
        ) from error
    return copy


def _json_type(value: object) -> str:
    names = {list: "list", str: "text", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def yaml_fault(error: BaseException) -> str:
    """Return one line about a text that is no YAML, with a cure where it is known."""
    said = " ".join(str(error).split()).replace(' in "<unicode string>",', " at")
    hint = "; use spaces, YAML allows no tabs here" if _TAB in said else ""
    return f"{said}{hint}" or type(error).__name__


_TAB = "found character that cannot start any token"
