"""Values that leave as one JSON text, built anew from what is declared and allowed.

Arrays of objects, maps, free-form values that a rule reaches into, and what lies too
deep to have a name of its own. Every part goes by the rules for its real path. Only
what the schema declares is copied over; a cycle of the schema is followed as deep as
the data goes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from jupyter_otel.redaction.actions import MASK, Redact
from jupyter_otel.redaction.rules import (
    ANYTHING,
    ITEM,
    Fate,
    Rules,
    names_properties,
    python_types,
    stricter,
)
from jupyter_otel.redaction.scrub import HIDDEN, names_secret
from jupyter_otel.schema import Action, Decision, Node, PropertyPath
from jupyter_otel.tally import Remark

Count = Callable[[Remark, int], None]
"""Counts properties that were left out."""

_MAX_KEPT = 4096
"""Places that are remembered: data may nest names of rules in ever new ways."""


class _Place(NamedTuple):
    """Where a value is, what is declared of it, and what holds for it."""

    path: PropertyPath
    node: Node
    own: Decision
    is_free: bool
    """Whether parts need no declaration."""


class _Entry(NamedTuple):
    """How one key of an object and its value are copied."""

    copy: Redact
    key: Fate


_Entries: TypeAlias = dict[tuple[str, bool], _Entry]
"""By name and whether the schema declares it: it may declare one called ``*``."""


class Rebuilder:
    """Copies values of one schema, part by part, as policy allows.

    What a place allows is worked out once, at the first value seen there.
    """

    def __init__(self, rules: Rules, count: Count) -> None:
        self._rules = rules
        self._count = count
        self._copiers: dict[tuple[PropertyPath, Node, Action, bool], Redact] = {}

    def copier(self, path: PropertyPath, node: Node, own: Decision) -> Redact:
        """Return the function that copies a value at ``path``, for which ``own`` holds.

        It returns None where nothing is left.
        """
        key = (path, node, own.action, own.classified)
        copier = self._copiers.get(key)
        if copier is None:
            copier = self._compile(path, node, own)
            if len(self._copiers) < _MAX_KEPT:
                self._copiers[key] = copier
        return copier

    def _compile(self, path: PropertyPath, node: Node, own: Decision) -> Redact:
        whole = self._typed(node, self._whole(own))
        if self._rules.is_whole(path, node, own):
            return whole
        place = _Place(path, node, own, not names_properties(node))
        entries: _Entries = {}

        def copy(value: Any) -> Any:
            if not value and own.classified:
                return whole(value)
            if isinstance(value, dict):
                return self._copy_object(value, place, entries)
            if isinstance(value, list):
                return self._copy_array(value, place)
            return whole(value)

        return copy

    def _typed(self, node: Node, redact: Redact) -> Redact:
        types = python_types(node)
        if types is None:
            return redact

        def redact_declared(value: Any) -> Any:
            if value is None or type(value) in types:
                return redact(value)
            return self._nothing_undeclared(value)

        return redact_declared

    def _whole(self, own: Decision) -> Redact:
        fate = self._rules.whole(own)
        if not fate.is_dropped:
            return fate.redact or _as_it_is
        return _nothing if own.classified else self._nothing_unclassified

    def _nothing_unclassified(self, _value: Any) -> None:
        self._count(Remark.UNCLASSIFIED_PROPERTY, 1)

    def _nothing_undeclared(self, _value: Any) -> None:
        self._count(Remark.UNDECLARED_PROPERTY, 1)

    def _copy_object(
        self, value: dict[str, Any], place: _Place, entries: _Entries
    ) -> dict[str, Any] | str | None:
        copied: dict[str, Any] = {}
        for key, item in value.items():
            is_named = key in place.node.properties
            name = key if is_named else self._rules.reach.known(key)
            entry = entries.get((name, is_named)) or self._entry(
                place, name, is_named=is_named
            )
            if len(self._copiers) < _MAX_KEPT:
                entries[name, is_named] = entry
            self._copy_entry(copied, entry, key, item)
        if copied.keys() == {MASK}:
            return MASK
        return copied if copied or not value else None

    def _entry(self, place: _Place, name: str, *, is_named: bool) -> _Entry:
        path = (*place.path, name)
        if is_named:
            declared = place.node.properties[name]
            own = self._rules.of_property(path, declared, place.own)
            named = self._rules.whole(own._replace(action=Action.ALLOW))
            return _Entry(self.copier(path, declared, own), named)
        inner = place.node.others or (ANYTHING if place.is_free else None)
        if inner is None:
            return _Entry(self._nothing_undeclared, self._rules.whole(place.own))
        own = self._rules.of_part(path, inner, place.own)
        return _Entry(
            self.copier(path, inner, own), self._rules.key_redactor(path, own)
        )

    def _copy_entry(
        self, copied: dict[str, Any], entry: _Entry, key: str, item: Any
    ) -> None:
        left = entry.copy(item)
        if left is None or entry.key.is_dropped:
            return
        action = entry.key.decision.action
        if action is Action.MASK:
            copied[MASK] = MASK
            return
        if action is Action.SCRUB and names_secret(key):
            left = HIDDEN
        redact = entry.key.redact
        copied[key if redact is None else redact(key)] = left

    def _copy_array(self, value: list[Any], place: _Place) -> Any:
        inner = place.node.items or (ANYTHING if place.is_free else None)
        if inner is None:
            return self._nothing_undeclared(value)
        path = (*place.path, ITEM)
        own = self._rules.of_part(path, inner, place.own)
        if place.is_free and place.own.classified:
            own = stricter(place.own, own)
            if own is place.own and self._rules.is_whole(path, inner, own):
                return self._whole(own)(value)
        copy = self.copier(path, inner, own)
        copied = [copy(item) for item in value]
        has_left = any(item is not None for item in copied)
        return copied if has_left or not value else None


def _as_it_is(value: Any) -> Any:
    return value


def _nothing(_value: Any) -> None:
    return None
