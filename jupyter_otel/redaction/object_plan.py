"""What is taken from the objects of one schema, and the plain road that takes it.

::

    root: ObjectPlan ┬─ leaves     key → slot, action
                     ├─ branches   key → ObjectPlan of a nested object
                     └─ rest       a map's other keys → one slot

The road that nearly all events go is ``generated_reader.py``; it does the same.
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from jupyter_otel.redaction.actions import Redact
from jupyter_otel.redaction.rebuild import Count
from jupyter_otel.tally import Remark

Leaf: TypeAlias = tuple[str, int, frozenset[type] | None, Redact | None]
"""One property that leaves.

- its key, where it is read
- its slot, where it lands
- the Python types that were declared; None: any
- what is done to it; None: nothing
"""


@dataclass(slots=True)
class ObjectPlan:
    """What is taken from one object."""

    leaves: list[Leaf] = field(default_factory=list)
    branches: list[tuple[str, "ObjectPlan"]] = field(default_factory=list)
    rest: Leaf | None = None
    """A map's keys that have no name of their own; its ``key`` is not used."""
    leftover: Remark | None = Remark.UNDECLARED_PROPERTY
    """What to count where other keys come and ``rest`` does not take them."""
    expected: frozenset[str] = frozenset()
    """Keys that need no remark: taken, or dropped because of their category."""
    unclassified: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    """Every key that the schema declares by name."""


class PlainReader:
    """Reads an event's data by its schema's plan, property by property.

    Args:
        root: The plan of the data.
        size: How many slots it has.
        count: Counts properties that are left out.
    """

    def __init__(self, root: ObjectPlan, size: int, count: Count) -> None:
        self._root = root
        self._size = size
        self._count = count

    def __call__(self, data: dict[str, Any]) -> list[Any]:
        """Return one JSON value a slot, None where there is nothing to send."""
        values: list[Any] = [None] * self._size
        self._fill(self._root, data, values)
        return values

    def undeclared(self) -> None:
        """Count a value of another type than was declared; return what is left."""
        self._count(Remark.UNDECLARED_PROPERTY, 1)

    def rest(self, plan: ObjectPlan, data: dict[str, Any]) -> Any:
        """Return a map's own keys, redacted; count what is left out of an object."""
        unclassified = len(plan.unclassified.intersection(data))
        if unclassified:
            self._count(Remark.UNCLASSIFIED_PROPERTY, unclassified)
        others = {key: value for key, value in data.items() if key not in plan.named}
        if not others:
            return None
        if plan.rest is not None:
            _, _, _, redact = plan.rest
            return others if redact is None else redact(others)
        if plan.leftover is not None:
            self._count(plan.leftover, len(others))
        return None

    def _fill(self, plan: ObjectPlan, data: dict[str, Any], values: list[Any]) -> None:
        for key, slot, types, redact in plan.leaves:
            value = data.get(key)
            if value is None:
                continue
            if types is not None and type(value) not in types:
                self.undeclared()
                continue
            values[slot] = value if redact is None else redact(value)
        for key, branch in plan.branches:
            value = data.get(key)
            if type(value) is dict:
                self._fill(branch, value, values)
        if plan.expected.issuperset(data):
            return
        left = self.rest(plan, data)
        if plan.rest is not None:
            values[plan.rest[1]] = left
