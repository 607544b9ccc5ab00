"""Values that leave as one JSON text, built anew from what is declared and allowed.

Arrays of objects, maps, and what lies too deep to have a name of its own. Only what
the schema declares is copied over; a cycle of the schema is followed as deep as the
data goes.
"""

from collections.abc import Callable
from typing import Any

from jupyter_otel.redaction.actions import Redact
from jupyter_otel.redaction.rules import ITEM, Fate, Rules, names_properties
from jupyter_otel.schema import Node, PropertyPath
from jupyter_otel.tally import Remark

Count = Callable[[Remark, int], None]
"""Counts properties that were left out."""


class Rebuilder:
    """Copies values of one schema, property by property, as policy allows.

    What a place allows is worked out once, at the first value seen there.
    """

    def __init__(self, rules: Rules, count: Count) -> None:
        self._rules = rules
        self._count = count
        self._copiers: dict[tuple[PropertyPath, int], Redact] = {}

    def copier(self, path: PropertyPath, node: Node) -> Redact:
        """Return the function that copies a value at ``path``; None: nothing left."""
        key = (path, id(node))
        copier = self._copiers.get(key)
        if copier is None:
            copier = self._copiers[key] = self._compile(path, node)
        return copier

    def _compile(self, path: PropertyPath, node: Node) -> Redact:
        opaque = self._rules.opaque_fate(path, node)
        if opaque is not None or not names_properties(node):
            return self._whole(opaque or self._rules.fate(path, node))

        def copy(value: Any) -> Any:
            if isinstance(value, dict):
                return self._copy_object(value, path, node)
            if isinstance(value, list):
                return self._copy_array(value, path, node)
            return self._whole(self._rules.fate(path, node))(value)

        return copy

    def _whole(self, fate: Fate) -> Redact:
        if not fate.is_dropped:
            return fate.redact or _as_it_is
        if fate.decision.classified:
            return _nothing
        return self._nothing_unclassified

    def _nothing_unclassified(self, _value: Any) -> None:
        self._count(Remark.UNCLASSIFIED_PROPERTY, 1)

    def _copy_object(
        self, value: dict[str, Any], path: PropertyPath, node: Node
    ) -> dict[str, Any] | None:
        copied: dict[str, Any] = {}
        for key, item in value.items():
            declared = node.properties.get(key)
            name = key if declared is not None else ITEM
            inner = declared or node.others
            if inner is None:
                self._count(Remark.UNDECLARED_PROPERTY, 1)
                continue
            left = self.copier((*path, name), inner)(item)
            if left is not None:
                copied[key] = left
        return copied if copied or not value else None

    def _copy_array(
        self, value: list[Any], path: PropertyPath, node: Node
    ) -> list[Any] | None:
        if node.items is None:
            self._count(Remark.UNDECLARED_PROPERTY, 1)
            return None
        copy = self.copier((*path, ITEM), node.items)
        copied = [copy(item) for item in value]
        has_left = any(item is not None for item in copied)
        return copied if has_left or not value else None


def _as_it_is(value: Any) -> Any:
    return value


def _nothing(_value: Any) -> None:
    return None
