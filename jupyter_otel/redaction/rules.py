"""What a compiled plan asks of policy, and what follows for a value and its parts.

A rule for a place holds for what lies below it too, until another rule reaches there:
for all of a map, an array or a free-form value; for an object whose properties are
declared only where it hides (a bare ``allow`` of an object allows none of them).
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from jupyter_otel.redaction.actions import Redact, Redactors
from jupyter_otel.redaction.reach import Reach
from jupyter_otel.schema import Action, Decision, Node, PropertyPath

Decide = Callable[[PropertyPath, Node], Decision | None]
"""What policy says of a path; None where nothing does."""

ITEM = "*"
"""The name of any item of an array, in a path."""

ANYTHING = Node()
"""What a schema says of the parts of a free-form value."""

_HIDING = frozenset({Action.HASH, Action.MASK, Action.DROP})
_CONTAINERS = frozenset({"object", "array"})
_REBUILT = Decision(Action.ALLOW, None, None, "each part by its own rule")

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
    """What becomes of one value that has an attribute of its own."""

    decision: Decision
    redact: Redact | None
    """None: it leaves as it is; never called for ``drop``."""

    @property
    def is_dropped(self) -> bool:
        """Return whether nothing of the value leaves."""
        return self.decision.action is Action.DROP


class Rules:
    """Turns policy's decisions about one schema into the fate of each place."""

    def __init__(
        self,
        decide: Decide,
        unclassified: Decision,
        redactors: Redactors,
        reach: Reach,
    ) -> None:
        self.decide = decide
        self.unclassified = unclassified
        self.reach = reach
        self._redactors = redactors

    def of_property(self, path: PropertyPath, node: Node, above: Decision) -> Decision:
        """Return what holds for a property that its object declares by name.

        Args:
            path: Of the property.
            node: What is declared of it.
            above: What holds for the object.
        """
        own = self.decide(path, node)
        if own is not None:
            return own
        if above.action in _HIDING and above.classified:
            return above._replace(attribute=None)
        return stricter(above._replace(attribute=None), self.unclassified)

    def of_part(self, path: PropertyPath, node: Node, above: Decision) -> Decision:
        """Return what holds for a map's value, an array's item, a free-form part."""
        own = self.decide(path, node)
        return above._replace(attribute=None) if own is None else own

    def is_whole(
        self,
        path: PropertyPath,
        node: Node,
        own: Decision,
        besides: Collection[str] = (),
    ) -> bool:
        """Return whether ``own`` alone decides about the value and all its parts."""
        if node.types and not node.types & _CONTAINERS:
            return True
        if self.reach.goes_below(path, besides):
            return False
        if own.action in _HIDING and own.classified:
            # A rule that ends with ``**`` is one for each property, not for them all.
            return not (node.properties and own.covers_below)
        if names_properties(node):
            return False
        below = self.decide((*path, ITEM), ANYTHING)
        return below is None or below.action is own.action

    def whole(self, own: Decision) -> Fate:
        """Return the fate of a value that is not taken apart."""
        return Fate(own, self._redactors.of(own.action, own.category))

    def key_redactor(self, path: PropertyPath, own: Decision) -> Fate:
        """Return the fate of a map's key: that of its value, or a hash.

        A key that a rule spells out is no secret. One that nobody classified, above
        values that leave, is known by its hash.
        """
        if own.action is Action.ALLOW or self.reach.spells_out(path):
            return self.whole(own._replace(action=Action.ALLOW))
        if not own.classified:
            return self.whole(own._replace(action=Action.HASH))
        return self.whole(own)

    def shown(self, path: PropertyPath, own: Decision) -> Decision:
        """Return what to tell of a value that is taken apart."""
        below = self.decide((*path, ITEM), ANYTHING)
        if below is None or below.action is own.action:
            told = own
        else:
            told = _REBUILT if own.classified else below
        if told.action is Action.DROP:
            told = _REBUILT
        return told if told.attribute else told._replace(attribute=own.attribute)


def stricter(one: Decision, other: Decision) -> Decision:
    """Return the decision whose action is the stricter one, ``one`` of two alike."""
    return other if other.action.rank > one.action.rank else one


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
