"""The check that stands before redaction: one person, one group, one verdict.

The answers that people gave come in as a mapping; where they are kept is not known
here.
"""

from collections.abc import Mapping

from jupyter_otel.event import Person
from jupyter_otel.schema import Group
from jupyter_otel.tally import Word


class ConsentMode(Word):
    """Who decides about a group."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    MANDATORY = "mandatory"
    OFF = "off"
    """The deployment does without the group; for ``security`` only."""


class Consent:
    """Says whether an event of a group may leave.

    Args:
        mode: For every group that ``groups`` does not name; ``security`` is
            mandatory unless named, for its subject may not have signed in.
        groups: The mode of single groups.
        answers: What people said: ``(subject, group)`` → yes or no.
    """

    def __init__(
        self,
        *,
        mode: ConsentMode,
        groups: Mapping[Group, ConsentMode] | None = None,
        answers: Mapping[tuple[str, Group], bool] | None = None,
    ) -> None:
        modes = dict.fromkeys(Group, mode)
        modes[Group.SECURITY] = ConsentMode.MANDATORY
        self._modes = modes | dict(groups or {})
        self._answers = answers if answers is not None else {}

    def mode(self, group: Group) -> ConsentMode:
        """Return who decides about a group."""
        return self._modes[group]

    def allows(
        self, person: Person | None, group: Group, answer: bool | None = None
    ) -> bool:
        """Return whether a person's events of a group may leave.

        An event that is nobody's needs no consent. ``answer`` stands in for the
        person's stored one, for previews.
        """
        mode = self._modes[group]
        if mode is ConsentMode.OFF:
            return False
        if person is None or mode is ConsentMode.MANDATORY:
            return True
        if answer is None:
            answer = self._answers.get((person.subject, group))
        return mode is ConsentMode.OPT_OUT if answer is None else answer
