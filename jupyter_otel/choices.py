"""What people see and change of their own consent, in a process that collects.

::

    change ─▶ answers on disk ─▶ what waits is judged anew, what left lately erased
                              └▶ the ``consent`` event

A withdrawal returns when nothing of what it is about waits any more. What is being
sent at that very moment may still arrive; should it come back, it is erased then.
"""

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.consent.answers import Notice
from jupyter_otel.consent.consent import Consent, ConsentMode
from jupyter_otel.consent_config import OtelConsent
from jupyter_otel.errors import JupyterOtelError
from jupyter_otel.event import Attribution, Person
from jupyter_otel.pipeline import Pipeline
from jupyter_otel.road import Road
from jupyter_otel.schema import Group
from jupyter_otel.spool.recent import SentRow

CONSENT_SCHEMA = "https://events.jupyter.org/jupyter_otel/consent/v1"

_FINISH_S = 5.0
_AWAY_S = 3.0
"""How long a withdrawal waits for what is being sent."""
_POLL_S = 0.02
_DECIDED = {ConsentMode.MANDATORY, ConsentMode.OFF}


class NotAskedError(JupyterOtelError):
    """A group is mandatory or off: people are not asked about it."""


class Choices:
    """Shows and changes what one person said. Safe in any thread.

    Args:
        consent: With the answers.
        catalog: Of the schemas that are known.
        pipeline: Whose events it is about.
        road: Where their records wait, and what left lately.
        settings: What people are told.
        revision: Names the policy in events.
    """

    def __init__(
        self,
        consent: Consent,
        catalog: Catalog,
        pipeline: Pipeline,
        road: Road,
        settings: OtelConsent,
        revision: str,
    ) -> None:
        self._consent = consent
        self._catalog = catalog
        self._pipeline = pipeline
        self._road = road
        self._settings = settings
        self._revision = revision
        self.notice_id = notice_id(settings)
        self._further_groups: set[Group] = set()

    def collect_also(self, group: Group) -> None:
        """Tell people of a group that it collects what is no event, too."""
        self._further_groups.add(group)

    def show(self, person: Person) -> dict[str, Any]:
        """Return a person's groups and when they were shown the notice, as JSON."""
        self._consent.answers.refresh()
        key = self._consent.key(person)
        collected = self._further_groups.union(self._collected_groups())
        return {
            "shown_at": self._shown_at(key),
            "groups": {
                group.value: self._group(person, key, group)
                | {"collects": group in collected}
                for group in Group
            },
        }

    def allows(self, person: Person | None, group: Group) -> bool:
        """Return whether a person's events of a group may leave now."""
        return self._consent.allows(person, group)

    def is_mandatory(self, group: Group) -> bool:
        """Return whether a group is collected without anybody being asked."""
        return self._mode(group) is ConsentMode.MANDATORY

    def change(self, person: Person, wanted: Mapping[Group, bool], *, by: str) -> None:
        """Keep what a person says of groups; erase what they withdraw.

        Args:
            person: By the host's authentication.
            wanted: Whether each group may leave.
            by: Where they said it: page, front_end or command_line.

        Raises:
            NotAskedError: A group is not theirs to choose. Nothing has changed.
            OSError: The answers cannot be written. Nothing has changed.
        """
        for group in wanted:
            if self._consent.mode(group) in _DECIDED:
                raise NotAskedError(
                    f"{group} is {self._consent.mode(group)} here: the deployment "
                    "decides about it, and nobody is asked."
                )
        self._consent.answers.refresh()
        # What is queued was caused before, and is judged by what was said before.
        self._pipeline.finish(_FINISH_S)
        # A clock that was set since the start must not make a yes later than its rows.
        now_ns = min(time.time_ns(), self._road.spool.now_ns())
        key = self._consent.key(person)
        before = {group: self._consent.allows(person, group) for group in wanted}
        self._consent.answers.put(
            key,
            {
                group: self._consent.answer(key, group, allowed=allowed, now_ns=now_ns)
                for group, allowed in wanted.items()
            },
        )
        withdrawn = [group for group, allowed in wanted.items() if not allowed]
        if withdrawn:
            self._erase(key, withdrawn)
        for group, allowed in wanted.items():
            if allowed is not before[group]:
                self._tell(person, by, group, allowed=allowed)

    def notice_shown(self, person: Person, *, by: str) -> None:
        """Keep that a person was shown the notice; the same one twice changes nothing.

        Raises:
            OSError: It cannot be written.
        """
        key = self._consent.key(person)
        shown = self._consent.answers.notice(key)
        if shown is not None and shown.id == self.notice_id:
            return
        self._consent.answers.put_notice(key, Notice(self.notice_id, time.time_ns()))
        # While people are asked, nothing of them leaves for having read a page.
        if any(map(self.is_mandatory, _ASKABLE)):
            self._emit(person, {"action": "notice_shown", "by": by})

    def recent(self, person: Person, max_rows: int) -> list[SentRow]:
        """Return what left of a person lately, the newest first."""
        return self._road.spool.recent.read(self._consent.key(person), max_rows)

    def _mode(self, group: Group) -> ConsentMode:
        return self._consent.mode(group)

    def _group(self, person: Person, key: str, group: Group) -> dict[str, Any]:
        said = self._consent.answers.find(key, group)
        return {
            "mode": self._mode(group).value,
            "choice": None if said is None else said.allowed,
            "changed_at": None if said is None else as_time(said.at_ns),
            "allowed": self._consent.allows(person, group),
        }

    def _collected_groups(self) -> Iterator[Group]:
        for schema in self._catalog.schemas():
            if self._pipeline.admits(schema):
                yield schema.overlay.group

    def _shown_at(self, key: str) -> str | None:
        shown = self._consent.answers.notice(key)
        is_this_one = shown is not None and shown.id == self.notice_id
        return as_time(shown.at_ns) if shown is not None and is_this_one else None

    def _erase(self, key: str, groups: Collection[Group]) -> None:
        self._pipeline.finish(_FINISH_S)
        spool = self._road.spool
        self._road.book(spool.weed())
        deadline_s = time.monotonic() + _AWAY_S
        while spool.has_doomed() and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        spool.recent.erase(key, groups)

    def _tell(self, person: Person, by: str, group: Group, *, allowed: bool) -> None:
        action = "granted" if allowed else "withdrawn"
        mode = self._mode(group).value
        self._emit(
            person, {"action": action, "by": by, "group": group.value, "mode": mode}
        )

    def _emit(self, person: Person, data: dict[str, Any]) -> None:
        schema = self._pipeline.find(CONSENT_SCHEMA)
        if schema is not None:
            data |= {"revision": self._revision, "notice": self.notice_id}
            self._pipeline.emit(schema, data, Attribution(person=person))


_ASKABLE = tuple(group for group in Group if group is not Group.SECURITY)


def notice_id(settings: OtelConsent) -> str:
    """Return a short hash of what people are told, another one when it changes."""
    told = (
        settings.notice,
        settings.contact,
        settings.policy_url,
        settings.mode,
        sorted(settings.groups.items()),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


def as_time(time_ns: int) -> str:
    """Return a time as RFC 3339 text in UTC, to the second."""
    return (
        datetime.fromtimestamp(time_ns // 10**9, UTC).isoformat().replace("+00:00", "Z")
    )
