"""A schema's redaction, compiled once: what leaves of its events, and of their origin.

::

    RedactionPlan ── slots     the attributes, in order
                 └── read      data → one value a slot (object_plan.py)
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

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
from jupyter_otel.redaction.generated_reader import Reader, compile_reader
from jupyter_otel.redaction.object_plan import ObjectPlan, PlainReader
from jupyter_otel.redaction.rebuild import Count
from jupyter_otel.schema import Decision, PropertyPath


class UserAttribute(NamedTuple):
    """The attribute that a person's name leaves as, and what is done to it first."""

    name: str
    redact: Redact | None

    def of(self, person: Person) -> tuple[str, str] | None:
        """Return what may leave of a person; None: the host knows no name."""
        user_name = person.user_name
        if user_name is None:
            return None
        return self.name, user_name if self.redact is None else self.redact(user_name)


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

    @cached_property
    def _read(self) -> Reader:
        # At the first event: what is only described needs none.
        size = len(self.slots)
        plain = PlainReader(self._root, size, self._count)
        return compile_reader(self._root, size, plain)

    def provenance(self, origin: Origin) -> Provenance:
        """Return what may leave of where events come from."""
        _, person, source, trust, _ = origin
        if self._meet is not None and person is not None:
            self._meet(person)
        user = None
        if self._user is not None and person is not None:
            user = self._user.of(person)
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
        values = self._read(data)
        _, _, time_ns, observed_ns, span, _ = raw
        return new(RedactedEvent, (provenance, values, time_ns, observed_ns, span))


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
