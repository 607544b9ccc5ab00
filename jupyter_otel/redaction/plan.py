"""A schema's redaction, compiled once: what is read where, and what is done to it.

::

    RedactionPlan ── slots            the attributes, in order
                └─ root: ObjectPlan ┬─ leaves     key → slot, action
                                    ├─ branches   key → ObjectPlan of a nested object
                                    └─ rest       a map's other keys → one slot
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from jupyter_otel.event import (
    Origin,
    Person,
    Provenance,
    RawEvent,
    RedactedEvent,
    Slot,
    new,
)
from jupyter_otel.redaction.actions import Redact
from jupyter_otel.redaction.rebuild import Count
from jupyter_otel.schema import Decision, PropertyPath
from jupyter_otel.tally import Remark


class UserAttribute(NamedTuple):
    """The attribute that a person's name leaves as, and what is done to it first."""

    name: str
    redact: Redact | None


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


class RedactionPlan:
    """Makes `RedactedEvent` of the events of one schema."""

    def __init__(
        self,
        root: ObjectPlan,
        slots: tuple[Slot, ...],
        decisions: Mapping[PropertyPath, Decision],
        user: UserAttribute | None,
        count: Count,
        meet: Callable[[Person], None] | None = None,
    ) -> None:
        self.slots = slots
        self.decisions = decisions
        """What was decided for each declared property that is a leaf."""
        self._root = root
        self._user = user
        self._count = count
        self._meet = meet
        """Told whose events are before one is redacted, where texts are scrubbed."""
        self._size = len(slots)

    def provenance(self, origin: Origin) -> Provenance:
        """Return what may leave of where events come from."""
        _, person, source, trust, _ = origin
        if self._meet is not None and person is not None:
            self._meet(person)
        user = None if person is None else self._redact_user(person)
        return Provenance(source, trust, user)

    def redact(
        self, raw: RawEvent, data: dict[str, Any], provenance: Provenance
    ) -> RedactedEvent:
        """Return what may leave of an event. Any error means: drop the event.

        Args:
            raw: The event; none of its data is read here.
            data: The same read, which fits its schema.
            provenance: What may leave of the event's origin.
        """
        values: list[Any] = [None] * self._size
        self._fill(self._root, data, values)
        _, _, time_ns, observed_ns, span, _ = raw
        return new(RedactedEvent, (provenance, values, time_ns, observed_ns, span))

    def _fill(self, plan: ObjectPlan, data: dict[str, Any], values: list[Any]) -> None:
        for key, slot, types, redact in plan.leaves:
            value = data.get(key)
            if value is None:
                continue
            if types is not None and type(value) not in types:
                self._count(Remark.UNDECLARED_PROPERTY, 1)
                continue
            values[slot] = value if redact is None else redact(value)
        for key, branch in plan.branches:
            value = data.get(key)
            if type(value) is dict:
                self._fill(branch, value, values)
        if not plan.expected.issuperset(data):
            self._take_rest(plan, data, values)

    def _take_rest(
        self, plan: ObjectPlan, data: dict[str, Any], values: list[Any]
    ) -> None:
        """Collect a map's own keys and count what is left out."""
        unclassified = len(plan.unclassified.intersection(data))
        if unclassified:
            self._count(Remark.UNCLASSIFIED_PROPERTY, unclassified)
        others = {key: value for key, value in data.items() if key not in plan.named}
        if not others:
            return
        if plan.rest is not None:
            _, slot, _, redact = plan.rest
            values[slot] = others if redact is None else redact(others)
        elif plan.leftover is not None:
            self._count(plan.leftover, len(others))

    def _redact_user(self, person: Person) -> tuple[str, str] | None:
        name = person.user_name
        if name is None or self._user is None:
            return None
        attribute, redact = self._user
        return attribute, name if redact is None else redact(name)


def explain(plan: RedactionPlan) -> dict[str, dict[str, str | None]]:
    """Return, for people, what is done to each declared property and by which rule."""
    return {
        ".".join(path): {
            "action": decision.action.value,
            "category": decision.category.value if decision.category else None,
            "rule": decision.why,
        }
        for path, decision in plan.decisions.items()
    }
