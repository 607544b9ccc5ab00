"""What a JSON Schema declares, as a graph of nodes.

A node stands for every subschema that may apply to one value: its own, those behind
``$ref``, ``allOf``, ``anyOf``, ``oneOf``, ``if``, ``then`` and ``else``. Two values to
which the same subschemas apply share a node, so that a recursive schema ends in a
cycle. Whether a value fits is not asked here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from jupyter_otel.catalog.references import References
from jupyter_otel.schema import Node

_ALTERNATIVES = ("anyOf", "oneOf")
_CONDITIONS = ("if", "then", "else")
_ANY: frozenset[str] = frozenset()
_MAX_DEPTH = 100
"""Of references and alternatives within each other; beyond it any type is taken."""


class _Part(NamedTuple):
    """A subschema that applies to a value, always or only in one alternative."""

    subschema: Any
    always: bool

    @property
    def key(self) -> tuple[int, bool]:
        body = self.subschema
        return (id(body) if isinstance(body, dict) else int(body is True), self.always)


def declared_by(references: References, body: Mapping[str, Any]) -> Node:
    """Return what a body declares, from its root; reads nothing but the body."""
    return _Builder(references).build(body)


class _Builder:
    """Makes the nodes of one schema, each set of parts once."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._nodes: dict[frozenset[tuple[int, bool]], Node] = {}
        self._pending: list[tuple[Node, list[_Part]]] = []
        self._stated: dict[int, frozenset[str]] = {}

    def build(self, body: Mapping[str, Any]) -> Node:
        root = self._node([_Part(body, always=True)])
        while self._pending:
            self._fill(*self._pending.pop())
        return root

    def _node(self, stated: list[_Part]) -> Node:
        parts = [self._aimed(part) for part in stated]
        key = frozenset(part.key for part in parts)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node()
            self._pending.append((node, parts))
        return node

    def _aimed(self, part: _Part) -> _Part:
        """Return what a bare reference refers to, so that recursion closes at once."""
        subschema = part.subschema
        if isinstance(subschema, dict) and set(subschema) == {"$ref"}:
            target = self._references.target(subschema)
            return part if target is None else _Part(target, part.always)
        return part

    def _fill(self, node: Node, parts: list[_Part]) -> None:
        everything = list(self._applying(parts))
        node.types = self._types(parts)
        node.categories = _categories(everything)
        for name, declared in _properties(everything).items():
            node.properties[name] = self._node(declared)
        items, others = list(_items(everything)), list(_others(everything))
        node.items = self._node(items) if items else None
        node.others = self._node(others) if others else None

    def _applying(self, parts: Iterable[_Part]) -> Iterator[_Part]:
        """Yield the parts and all that they take in, each once, in declared order."""
        seen: set[int] = set()
        pending = list(reversed(list(parts)))
        while pending:
            part = pending.pop()
            if not isinstance(part.subschema, dict) or id(part.subschema) in seen:
                continue
            seen.add(id(part.subschema))
            yield part
            pending += reversed(list(self._taken_in(part)))

    def _taken_in(self, part: _Part) -> Iterator[_Part]:
        body, always = part
        target = self._references.target(body)
        if target is not None:
            yield _Part(target, always)
        for branch in _listed(body, "allOf"):
            yield _Part(branch, always)
        for key in _ALTERNATIVES:
            yield from (_Part(branch, always=False) for branch in _listed(body, key))
        yield from (
            _Part(body[key], always=False) for key in _CONDITIONS if key in body
        )

    def _types(self, parts: list[_Part]) -> frozenset[str]:
        """Return the types of a value: what always holds, else the alternatives'."""
        always = [self._types_of(p.subschema, ()) for p in parts if p.always]
        if any(always):
            return _ANY.union(*always)
        return _union([self._types_of(p.subschema, ()) for p in parts if not p.always])

    def _types_of(self, body: Any, above: tuple[int, ...]) -> frozenset[str]:
        """Return the types that a subschema states, empty if it states none."""
        if not isinstance(body, dict) or id(body) in above or len(above) > _MAX_DEPTH:
            return _ANY
        known = self._stated.get(id(body))
        if known is None:
            known = self._stated[id(body)] = self._read_types(body, (*above, id(body)))
        return known

    def _read_types(
        self, body: Mapping[str, Any], above: tuple[int, ...]
    ) -> frozenset[str]:
        stated = _stated_types(body)
        for branch in (self._references.target(body), *_listed(body, "allOf")):
            stated |= self._types_of(branch, above)
        for key in _ALTERNATIVES:
            branches = _listed(body, key)
            stated |= _union([self._types_of(branch, above) for branch in branches])
        return stated


def _union(alternatives: list[frozenset[str]]) -> frozenset[str]:
    """Return all types of alternatives, or any type where one of them is open."""
    return _ANY.union(*alternatives) if all(alternatives) else _ANY


def _stated_types(body: Mapping[str, Any]) -> frozenset[str]:
    stated = body.get("type")
    names = stated if isinstance(stated, list) else [stated]
    return frozenset(name for name in names if isinstance(name, str))


def _listed(body: Mapping[str, Any], key: str) -> list[Any]:
    value = body.get(key)
    return value if isinstance(value, list) else []


def _mapped(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _properties(parts: list[_Part]) -> dict[str, list[_Part]]:
    found: dict[str, list[_Part]] = {}
    for part in parts:
        for name, subschema in _mapped(part.subschema, "properties").items():
            if isinstance(subschema, dict | bool):
                found.setdefault(name, []).append(_Part(subschema, part.always))
    return found


def _items(parts: list[_Part]) -> Iterator[_Part]:
    """Yield what an item may be. Items of a tuple are alternatives of each other."""
    for body, always in parts:
        tuples = [*_listed(body, "prefixItems"), *_listed(body, "items")]
        rest = [
            body[key]
            for key in ("items", "additionalItems")
            if isinstance(body.get(key), dict)
        ]
        alone = always and not tuples
        yield from (_Part(item, alone) for item in (*tuples, *rest))


def _others(parts: list[_Part]) -> Iterator[_Part]:
    """Yield what a value of a map may be, each pattern an alternative."""
    for body, always in parts:
        values = list(_mapped(body, "patternProperties").values())
        additional = body.get("additionalProperties")
        if isinstance(additional, dict):
            values.append(additional)
        yield from (_Part(value, always and len(values) == 1) for value in values)


def _categories(parts: list[_Part]) -> tuple[str, ...]:
    """Return a legacy jupyter_telemetry property's categories, first seen first."""
    names = [
        name
        for part in parts
        for name in _listed(part.subschema, "categories")
        if isinstance(name, str)
    ]
    return tuple(dict.fromkeys(names))
