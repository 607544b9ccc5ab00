"""Compiles a schema and a policy into a `RedactionPlan`.

Objects that the schema declares are opened breadth first, so that a recursive schema
gets names level by level: to 16 levels and a thousand names, and beyond that one JSON
text a place.
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from jupyter_otel.event import Person, Slot
from jupyter_otel.redaction.actions import Redact, Redactors
from jupyter_otel.redaction.known_words import KnownWords
from jupyter_otel.redaction.object_plan import ObjectPlan
from jupyter_otel.redaction.plan import RedactionPlan, UserAttribute
from jupyter_otel.redaction.reach import Reach
from jupyter_otel.redaction.rebuild import Count, Rebuilder
from jupyter_otel.redaction.rules import (
    ITEM,
    Decide,
    Fate,
    Rules,
    python_types,
)
from jupyter_otel.schema import Action, Decision, Node, PropertyPath, Schema
from jupyter_otel.tally import Remark

MAX_LEVELS = 16
MAX_NAMES = 1024


class Redactor:
    """Compiles plans; holds what they share: the key, the rule for user names.

    Args:
        keyed_hash: Hashes a JSON value under the deployment's key.
        identity: What is done to the name of the person behind an event.
        count: Counts properties that are left out.
        known: Words that scrubbing hides wherever they stand.
    """

    def __init__(
        self,
        keyed_hash: Callable[[Any], str],
        identity: Action,
        count: Count,
        known: KnownWords | None = None,
    ) -> None:
        self._redactors = Redactors(keyed_hash, known)
        self._user = self._user_attribute(identity)
        self._count = count

    def compile(
        self, schema: Schema, decide: Decide, unclassified: Decision
    ) -> RedactionPlan:
        """Return the plan of a schema under what policy decides for its paths."""
        reach = Reach(rule.pattern for rule in schema.overlay.properties)
        rules = Rules(decide, unclassified, self._redactors, reach)
        compiler = _Compiler(rules, self._count)
        root, slots = compiler.compile(schema.root)
        scrubs = any(map(_may_scrub, compiler.decisions.values()))
        meet = self._redactors.meet if scrubs else None
        return RedactionPlan(
            root, slots, compiler.decisions, self._user, self._count, meet
        )

    def user(self, person: Person) -> tuple[str, str] | None:
        """Return the attribute that names a person, and its value; None: they are not.

        For data that is no event; an event's plan does the same for its origin.
        """
        return None if self._user is None else self._user.of(person)

    def _user_attribute(self, identity: Action) -> UserAttribute | None:
        if identity is Action.DROP:
            return None
        name = "user.name" if identity is Action.ALLOW else "user.hash"
        return UserAttribute(name, self._redactors.of(identity))


class _Draft(NamedTuple):
    """A leaf whose slot is not numbered yet."""

    order: tuple[int, ...]
    """Place in the schema as it is written, level by level."""
    plan: ObjectPlan
    path: PropertyPath
    fate: Fate
    types: frozenset[type] | None
    is_rest: bool


class _Open(NamedTuple):
    """An object still to be opened."""

    order: tuple[int, ...]
    plan: ObjectPlan
    path: PropertyPath
    node: Node
    own: Decision
    """What holds for the object."""


class _Compiler:
    """The state of one compilation."""

    def __init__(self, rules: Rules, count: Count) -> None:
        self._rules = rules
        self._rebuilder = Rebuilder(rules, count)
        self._drafts: list[_Draft] = []
        self._opens: deque[_Open] = deque()
        self._names = 0
        """Of all the nested objects that are opened."""
        self.decisions: dict[PropertyPath, Decision] = {}

    def compile(self, root: Node) -> tuple[ObjectPlan, tuple[Slot, ...]]:
        plan = ObjectPlan()
        own = self._rules.of_property((), root, self._rules.unclassified)
        self._opens.append(_Open((), plan, (), root, own))
        while self._opens:
            self._open(self._opens.popleft())
        return plan, self._number()

    def _open(self, opened: _Open) -> None:
        unclassified = set()
        for place, (key, node) in enumerate(opened.node.properties.items()):
            path, order = (*opened.path, key), (*opened.order, place)
            own = self._rules.of_property(path, node, opened.own)
            inner = _Open(order, opened.plan, path, node, own)
            if self._has_names_inside(inner):
                self._branch(inner)
            elif not self._leaf(inner):
                unclassified.add(key)
        self._rest(opened)
        named = frozenset(opened.node.properties)
        opened.plan.named = named
        opened.plan.unclassified = frozenset(unclassified)
        opened.plan.expected = named - opened.plan.unclassified

    def _has_names_inside(self, inner: _Open) -> bool:
        _, _, path, node, own = inner
        if not node.properties or len(path) >= MAX_LEVELS:
            return False
        has_room = self._names + len(node.properties) <= MAX_NAMES
        return has_room and not self._rules.is_whole(path, node, own)

    def _branch(self, inner: _Open) -> None:
        node = inner.node
        self._names += len(node.properties)
        branch = ObjectPlan()
        inner.plan.branches.append((inner.path[-1], branch))
        self._opens.append(inner._replace(plan=branch))
        if not node.types or node.types - {"object", "null"}:
            self._leaf(inner, unless_object=True)

    def _leaf(self, inner: _Open, *, unless_object: bool = False) -> bool:
        """Draft a leaf of ``inner.plan``; return False if nobody classified it."""
        order, plan, path, node, own = inner
        fate = self._fate(path, node, own)
        self.decisions[path] = fate.decision
        if fate.is_dropped:
            return fate.decision.classified
        if unless_object:
            fate = fate._replace(redact=_unless_object(fate.redact))
        draft = _Draft(order, plan, path, fate, python_types(node), is_rest=False)
        self._drafts.append(draft)
        return True

    def _fate(
        self,
        path: PropertyPath,
        node: Node,
        own: Decision,
        besides: Collection[str] = (),
    ) -> Fate:
        if self._rules.is_whole(path, node, own, besides):
            return self._rules.whole(own)
        copier = self._rebuilder.copier(path, node, own)
        return Fate(self._rules.shown(path, own), copier)

    def _rest(self, opened: _Open) -> None:
        """Draft the slot of a map's keys, for an object that also names some."""
        _, plan, path, node, own = opened
        if node.others is None:
            return
        only_others = Node(types=node.types, others=node.others)
        fate = self._fate(path, only_others, own, node.properties)
        self.decisions[(*path, ITEM)] = fate.decision
        if fate.is_dropped:
            plan.leftover = (
                None if fate.decision.classified else Remark.UNCLASSIFIED_PROPERTY
            )
            return
        order = (*opened.order, len(node.properties))
        self._drafts.append(_Draft(order, plan, path, fate, None, is_rest=True))

    def _number(self) -> tuple[Slot, ...]:
        """Give each draft its slot, in the order in which the schema is written."""
        slots: list[Slot] = []
        for draft in sorted(self._drafts, key=lambda draft: draft.order):
            key = draft.path[-1] if draft.path else ""
            leaf = (key, len(slots), draft.types, draft.fate.redact)
            if draft.is_rest:
                draft.plan.rest = leaf
            else:
                draft.plan.leaves.append(leaf)
            slots.append(Slot(draft.path, draft.fate.decision.attribute))
        return tuple(slots)


def _may_scrub(decision: Decision) -> bool:
    """Return whether texts are scrubbed, also in parts that go by their own rules."""
    is_rebuilt = decision.category is None and decision.action is Action.ALLOW
    return is_rebuilt or decision.action is Action.SCRUB


def _unless_object(redact: Redact | None) -> Redact:
    """Leave objects to the branch of the same key."""

    def redact_other(value: Any) -> Any:
        if isinstance(value, dict):
            return None
        return value if redact is None else redact(value)

    return redact_other
