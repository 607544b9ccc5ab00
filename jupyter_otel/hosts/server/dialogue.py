"""What a server says to one person about their records, and what it hears of them.

Whose a request is says the server's own authentication; nobody reads or changes what
is another one's.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tornado import web

from jupyter_otel.choices import NotAskedError
from jupyter_otel.event import ACCOUNT, Person
from jupyter_otel.hosts.server.page import Page, make_page
from jupyter_otel.hosts.server.people import name_of
from jupyter_otel.hosts.server.sent_records import newest
from jupyter_otel.schema import Group
from jupyter_otel.telemetry import Telemetry

_FORM = {"yes": True, "no": False}


class Dialogue:
    """What is between a server's collection and one person.

    Args:
        telemetry: Of the server.
        error: Why nothing is collected although it was asked for.
        person: Who is there.
    """

    def __init__(self, telemetry: Telemetry, error: str | None, person: Person) -> None:
        self._telemetry = telemetry
        self._error = error
        self._person = person

    def consent(self) -> dict[str, Any]:
        """Return the JSON of ``otel/v1/consent``."""
        telemetry = self._telemetry
        settings, choices = telemetry.settings.consent, telemetry.choices
        shown: dict[str, Any] = {"shown_at": None, "groups": {}}
        if choices is not None:
            shown = choices.show(self._person)
        return {
            "level": _level(telemetry),
            "mode": settings.mode,
            "subject": "account" if self._person == ACCOUNT else "person",
            "notice": {
                "text": settings.notice or None,
                "contact": settings.contact or None,
                "policy_url": settings.policy_url,
                "shown_at": shown["shown_at"],
            },
            "groups": shown["groups"],
        }

    def recent(self, limit: int) -> dict[str, Any]:
        """Return the JSON of ``otel/v1/recent``: the last records, the newest first."""
        choices = self._telemetry.choices
        rows = [] if choices is None else choices.recent(self._person, limit)
        return {
            "recent_h": self._telemetry.settings.consent.recent_h,
            "records": newest(rows, limit),
        }

    def page(self, *, limit: int, saved: bool) -> Page:
        """Return the page ``otel``.

        Args:
            limit: How many records it shows.
            saved: Whether it follows a form that was kept.
        """
        return make_page(
            self._telemetry.collected(),
            self.consent(),
            self.recent(limit),
            who=name_of(self._person),
            error=self._error,
            saved=saved,
        )

    async def keep_body(self, body: Any, *, by: str) -> None:
        """Keep what the JSON of a request says.

        Raises:
            web.HTTPError: It cannot be understood, or is not theirs to decide.
        """
        if not isinstance(body, dict) or body.keys() - {"groups", "notice_shown"}:
            raise web.HTTPError(400, 'The body must be {"groups": {"<group>": true}}.')
        groups, is_shown = body.get("groups", {}), body.get("notice_shown", False)
        if not _are_answers(groups) or not isinstance(is_shown, bool):
            names = ", ".join(Group)
            raise web.HTTPError(
                400, f"Each of groups must be true or false; there are {names}."
            )
        answers = {Group(name): allowed for name, allowed in groups.items()}
        await self.keep(answers, by=by, notice_shown=is_shown)

    async def keep_form(self, field: Callable[[str, None], str | None]) -> None:
        """Keep what the page's form says: yes or no, or nothing, of each group.

        Raises:
            web.HTTPError: It is not theirs to decide.
        """
        said = {group: field(group.value, None) for group in Group}
        answers = {g: _FORM[text] for g, text in said.items() if text in _FORM}
        await self.keep(answers, by="page")

    async def keep(
        self, answers: Mapping[Group, bool], *, by: str, notice_shown: bool = False
    ) -> None:
        """Keep what the person says; return when what they withdrew is erased.

        Args:
            answers: Whether each group may leave.
            by: Where they say it: page, front_end or command_line.
            notice_shown: Whether they were shown the notice there.

        Raises:
            web.HTTPError: A group is not theirs to decide. Nothing has changed.
        """
        choices = self._telemetry.choices
        if choices is None:
            if answers:
                raise web.HTTPError(409, "Nothing is collected, so nobody is asked.")
            return
        run = asyncio.get_running_loop().run_in_executor
        try:
            if answers:  # it waits for disks
                await run(None, partial(choices.change, self._person, answers, by=by))
            if notice_shown:
                await run(None, partial(choices.notice_shown, self._person, by=by))
        except NotAskedError as error:
            raise web.HTTPError(409, str(error)) from error


def _level(telemetry: Telemetry) -> str:
    """Return the level that is in force."""
    return str(telemetry.settings.policy.level) if telemetry.enabled else "none"


def _are_answers(groups: object) -> bool:
    return isinstance(groups, dict) and all(
        name in set(Group) and isinstance(allowed, bool)
        for name, allowed in groups.items()
    )
