"""Where the references inside one schema lead. Nothing outside it is ever looked at.

A body may hold several resources (a nested ``$id`` opens one), each with anchors; a
relative reference is resolved within the resource that it stands in.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

_ONE = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_LISTS = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_MAPS = frozenset(
    {
        "$defs",
        "definitions",
        "dependencies",
        "dependentSchemas",
        "patternProperties",
        "properties",
    }
)
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")


class References:
    """The subschemas of one body, by pointer, anchor and id.

    Args:
        body: A schema; it must stay unchanged, its parts are known by identity.
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self._homes: dict[int, _Resource] = {}
        self._resources: dict[str, _Resource] = {}
        self._index(body, _Resource("", body))

    def outside(self) -> list[str]:
        """Return the references that lead out of the schema, ``$ref: other.json``.

        They stand in order; what only another reference reaches is searched too.
        """
        found: list[str] = []
        seen: set[int] = set()
        pending = [self._body]
        while pending:
            subschema = pending.pop()
            if id(subschema) in seen:
                continue
            seen.add(id(subschema))
            targets = []
            for keyword, reference in _references(subschema):
                target = self.resolve(subschema, reference)
                if target is None:
                    found.append(f"{keyword}: {reference}")
                elif isinstance(target, dict):
                    targets.append(target)
            pending += reversed([*_children(subschema), *targets])
        return found

    def target(self, subschema: Mapping[str, Any]) -> Any:
        """Return the subschema that ``$ref`` names, or None without one inside."""
        reference = subschema.get("$ref")
        if not isinstance(reference, str):
            return None
        return self.resolve(subschema, reference)

    def resolve(self, subschema: Mapping[str, Any], reference: str) -> Any:
        """Return what a reference means where it stands, or None if it leads out."""
        home = self._homes[id(subschema)]
        address, fragment = urldefrag(reference)
        if address:
            absolute = urldefrag(urljoin(home.base, address)).url
            found = self._resources.get(absolute) or self._resources.get(address)
            if found is None:
                return None
            home = found
        return self._within(home, unquote(fragment))

    def _within(self, home: "_Resource", fragment: str) -> Any:
        if fragment and not fragment.startswith("/"):
            return home.anchors.get(fragment)
        target: Any = home.root
        for token in fragment.split("/")[1:]:
            target = _step(target, token.replace("~1", "/").replace("~0", "~"))
        if isinstance(target, dict) and id(target) not in self._homes:
            self._index(target, home)
        return target if isinstance(target, dict | bool) else None

    def _index(self, root: Mapping[str, Any], home: "_Resource") -> None:
        pending = [(root, home)]
        while pending:
            subschema, around = pending.pop()
            if id(subschema) in self._homes:
                continue
            inner = self._home_of(subschema, around)
            self._homes[id(subschema)] = inner
            pending += [(child, inner) for child in _children(subschema)]

    def _home_of(
        self, subschema: Mapping[str, Any], around: "_Resource"
    ) -> "_Resource":
        identifier = subschema.get("$id", subschema.get("id"))
        if isinstance(identifier, str) and identifier.startswith("#"):
            around.anchors.setdefault(identifier[1:], subschema)  # Draft 7's anchors
        elif isinstance(identifier, str):
            around = _Resource(
                urldefrag(urljoin(around.base, identifier)).url, subschema
            )
            self._resources.setdefault(around.base, around)
            self._resources.setdefault(urldefrag(identifier).url, around)
        for key in _ANCHORS:
            if isinstance(subschema.get(key), str):
                around.anchors.setdefault(subschema[key], subschema)
        return around


class _Resource:
    """A schema with an address of its own, and the anchors in it."""

    __slots__ = ("anchors", "base", "root")

    def __init__(self, base: str, root: Mapping[str, Any]) -> None:
        self.base = base
        self.root = root
        self.anchors: dict[str, Any] = {}


def _references(subschema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for keyword in _REFERENCES:
        if isinstance(subschema.get(keyword), str):
            yield keyword, subschema[keyword]


def _children(subschema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the subschemas right below one, from the places where they may stand."""
    for key, value in subschema.items():
        if key in _ONE and isinstance(value, dict):
            yield value
        elif key in _LISTS and isinstance(value, list):
            yield from (item for item in value if isinstance(item, dict))
        elif key in _MAPS and isinstance(value, dict):
            yield from (item for item in value.values() if isinstance(item, dict))


def _step(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return value.get(token)
    if isinstance(value, list) and token.isdecimal() and int(token) < len(value):
        return value[int(token)]
    return None
