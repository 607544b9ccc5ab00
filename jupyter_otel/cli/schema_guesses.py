"""Which category a property probably has, by its name and type: a hint, no verdict.

A person decides; an overlay with a hint in place of a category is refused.
"""

import re
from collections.abc import Mapping
from typing import Any

from jupyter_otel.schema import Category, PropertyPath

_FORMATS: Mapping[str, Category] = {
    "email": Category.IDENTITY,
    "hostname": Category.NETWORK,
    "idn-email": Category.IDENTITY,
    "ipv4": Category.NETWORK,
    "ipv6": Category.NETWORK,
    "iri": Category.LOCATION,
    "uri": Category.LOCATION,
    "date-time": Category.OPERATIONAL,
    "uuid": Category.OPERATIONAL,
}
_WORDS: Mapping[Category, frozenset[str]] = {
    Category.IDENTITY: frozenset(
        {
            "author",
            "creator",
            "email",
            "login",
            "mail",
            "owner",
            "person",
            "student",
            "user",
            "username",
        }
    ),
    Category.NETWORK: frozenset(
        {"addr", "address", "host", "hostname", "ip", "mac", "peer"}
    ),
    Category.LOCATION: frozenset(
        {
            "dir",
            "directory",
            "file",
            "filename",
            "folder",
            "link",
            "notebook",
            "path",
            "uri",
            "url",
        }
    ),
    Category.CONTENT: frozenset(
        {
            "arg",
            "argument",
            "body",
            "cell",
            "code",
            "content",
            "data",
            "input",
            "output",
            "param",
            "parameter",
            "payload",
            "query",
            "result",
            "source",
            "value",
        }
    ),
    Category.FREE_TEXT: frozenset(
        {
            "comment",
            "description",
            "detail",
            "error",
            "label",
            "message",
            "msg",
            "name",
            "note",
            "reason",
            "text",
            "title",
        }
    ),
    Category.OPERATIONAL: frozenset(
        {
            "action",
            "count",
            "cron",
            "duration",
            "format",
            "id",
            "kind",
            "level",
            "phase",
            "size",
            "stamp",
            "state",
            "status",
            "timestamp",
            "timezone",
            "type",
            "uuid",
            "version",
        }
    ),
}
"""In the singular; the most sensitive first."""
_PLAIN_TYPES = frozenset({"boolean", "integer", "number", "null"})


def guess(path: PropertyPath, subschema: Mapping[str, Any]) -> Category | None:
    """Return the likely category of a property; None where nothing gives it away."""
    stated = subschema.get("type", ())
    types = {stated} if isinstance(stated, str) else set(stated)
    by_format = _FORMATS.get(str(subschema.get("format")))
    if by_format is not None:
        return by_format
    if "enum" in subschema or "const" in subschema or (types and types <= _PLAIN_TYPES):
        return Category.OPERATIONAL
    names = [name for name in path if name not in ("*", "**")]
    return _by_name(names[-1]) if names else None


def _by_name(name: str) -> Category | None:
    """Return the most sensitive category that any word of a name speaks for."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    words = {word for word in re.split(r"[^a-z]+", apart) if word}
    words |= {word.removesuffix("s") for word in words}
    return next((c for c, known in _WORDS.items() if known & words), None)
