"""Who decides about a group, and what follows for one event or one stored row.

What people said is kept in ``answers.py``.
"""

from collections.abc import Callable, Iterable, Mapping

from jupyter_otel.consent.answers import Answer, Answers
from jupyter_otel.event import TOGETHER, Person
from jupyter_otel.schema import Group
from jupyter_otel.tally import Word


class ConsentMode(Word):
    """Who decides about a group."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    MANDATORY = "mandatory"
    OFF = "off"
    """The deployment does without the group; for ``security`` only."""


# Python 3.11 looks a member of an enum up by a call: not for every event.
_OFF, _OPT_OUT, _MANDATORY = ConsentMode.OFF, ConsentMode.OPT_OUT, ConsentMode.MANDATORY


class Consent:
    """Says whether what belongs to a person may leave.

    Args:
        mode: For every group that ``groups`` does not name; ``security`` is
            mandatory unless named, for its subject may not have signed in.
        groups: The mode of single groups.
        answers: What people said.
        key: Makes of a subject the key that it has in answers and in stored rows: a
            hash under a key, so that no name stands there.
    """

    def __init__(
        self,
        *,
        mode: ConsentMode,
        groups: Mapping[Group, ConsentMode] | None = None,
        answers: Answers | None = None,
        key: Callable[[str], str] = str,
    ) -> None:
        modes = dict.fromkeys(Group, mode)
        modes[Group.SECURITY] = ConsentMode.MANDATORY
        self._modes = modes | dict(groups or {})
        self.answers = answers or Answers()
        self._key = key

    def mode(self, group: Group) -> ConsentMode:
        """Return who decides about a group."""
        return self._modes[group]

    def key(self, person: Person | None) -> str:
        """Return what stands for a person in answers and rows; empty: for nobody."""
        return "" if person is None else self._key(person.subject)

    def key_of_all(self, people: Iterable[Person]) -> str:
        """Return the key of what is of all of them together: each has to allow it."""
        return TOGETHER.join(sorted(map(self.key, people)))

    def allows(self, person: Person | None, group: Group) -> bool:
        """Return whether a person's events of a group may leave now."""
        return self.allowed_since(self.key(person), group) is not None

    def allowed_since(
        self, key: str, group: Group, answer: bool | None = None
    ) -> int | None:
        """Return from when on a person's events of a group may leave; None: not at all.

        In nanoseconds since the Unix epoch: what came in before a yes is not meant by
        it. An event that is nobody's, without a key, needs no consent. ``answer``
        stands in for the person's stored one, for previews.
        """
        if answer is not None and key and self._asks(group):
            return 0 if answer else None
        return self._since(key, group)

    def still_allows(self, key: str, group: Group, made_ns: int) -> bool:
        """Return whether what was made of a person's events may leave now.

        Args:
            key: Of the person; empty where it is nobody's.
            group: Of the events.
            made_ns: When the records were made.
        """
        since_ns = self._since(key, group)
        return since_ns is not None and made_ns >= since_ns

    def answer(self, key: str, group: Group, *, allowed: bool, now_ns: int) -> Answer:
        """Return an answer as it is to be kept: a yes holds for what comes after it."""
        said = self.answers.find(key, group)
        before = self._modes[group] is _OPT_OUT if said is None else said.allowed
        if not allowed or not before:
            return Answer(allowed, now_ns, now_ns)
        return Answer(allowed, now_ns, 0 if said is None else said.since_ns)

    def _asks(self, group: Group) -> bool:
        return self._modes[group] not in (_OFF, _MANDATORY)

    def _since(self, key: str, group: Group) -> int | None:
        mode = self._modes[group]
        if mode is _OFF:
            return None
        if not key or mode is _MANDATORY:
            return 0
        said = self.answers.find(key, group)
        if said is not None:
            return said.since_ns if said.allowed else None
        if TOGETHER in key:
            return self._since_all(key.split(TOGETHER), group)
        return 0 if mode is _OPT_OUT else None

    def _since_all(self, keys: Iterable[str], group: Group) -> int | None:
        since_ns = 0
        for key in keys:
            one_ns = self._since(key, group)
            if one_ns is None:
                return None
            since_ns = max(since_ns, one_ns)
        return since_ns
