"""What a compiled plan asks of policy, and the fate of one value that follows."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jupyter_otel.redaction.actions import Redact
from jupyter_otel.schema import Action, Decision, Node, PropertyPath

Decide = Callable[[PropertyPath, Node], Decision | None]
"""What policy says of a path; None where nothing does."""

ITEM = "*"
"""The name of any item of an array and of any key of a map, in a path."""

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


class Fate(NamedTuple):
    """What becomes of one value that is not taken apart further."""

    decision: Decision
    redact: Redact | None
    """None: it leaves as it is; never called for ``drop``."""

    @property
    def is_dropped(self) -> bool:
        """Return whether nothing of the value leaves."""
        return self.decision.action is Action.DROP


class Rules:
    """Turns policy's decisions about one schema into fates."""

    def __init__(
        self,
        decide: Decide,
        unclassified: Decision,
        redactors: Mapping[Action, Redact | None],
    ) -> None:
        self._decide = decide
        self._unclassified = unclassified
        self._redactors = redactors

    def fate(self, path: PropertyPath, node: Node) -> Fate:
        """Return the fate of a whole value.

        A rule for the value's own path covers it whole; else a rule for its items
        (``name.*``) is applied to each of them.
        """
        own = self._decide(path, node)
        if own is not None:
            return Fate(own, self._redactors.get(own.action))
        inner = node.items or node.others or Node()
        of_items = self._decide((*path, ITEM), inner)
        if of_items is None:
            unclassified = self._unclassified
            return Fate(unclassified, self._redactors.get(unclassified.action))
        redact = self._redactors.get(of_items.action)
        return Fate(of_items, None if redact is None else _each(redact))

    def opaque_fate(self, path: PropertyPath, node: Node) -> Fate | None:
        """Return the fate of a structure that a rule hides whole, if one does."""
        own = self._decide(path, node)
        if own is None or own.action not in (Action.HASH, Action.MASK):
            return None
        return Fate(own, self._redactors[own.action])


def names_properties(node: Node) -> bool:
    """Return whether a node names properties, itself or inside: it is taken apart."""
    seen: set[int] = set()
    ahead: list[Node | None] = [node]
    while ahead:
        inner = ahead.pop()
        if inner is None or id(inner) in seen:
            continue
        if inner.properties:
            return True
        seen.add(id(inner))
        ahead += (inner.items, inner.others)
    return False


def python_types(node: Node) -> frozenset[type] | None:
    """Return the types that a declared value may have in Python; None: any."""
    if not node.types:
        return None
    return frozenset(kind for name in node.types for kind in _PYTHON_TYPES[name])


def _each(redact: Redact) -> Redact:
    def redact_each(value: Any) -> Any:
        if isinstance(value, list):
            return [redact(item) for item in value]
        if isinstance(value, dict):
            return {key: redact(item) for key, item in value.items()}
        return redact(value)

    return redact_each
