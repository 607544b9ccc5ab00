"""What stands on ``otel``, the page for people; how it looks is in its template."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_otel._version import __version__
from jupyter_otel.disclosure.collected import Collected
from jupyter_otel.disclosure.document import html_sections
from jupyter_otel.disclosure.sheet import privacy_sheet
from jupyter_otel.schema import Group

_TEMPLATE = Path(__file__).with_name("templates") / "otel.html"
_ASKING = {"opt_in", "opt_out"}

MEANS = {
    Group.SECURITY: "Sign-ins, refused requests, changes of consent.",
    Group.OPERATIONS: "Kernels and servers that start and stop, requests, terminals.",
    Group.EXECUTIONS: "Cells and notebooks that run: how long, and how it ends.",
    Group.DATA: "Files and data sets that are opened, saved, renamed or deleted.",
    Group.INTERFACE: "What is clicked and chosen in the user interface.",
    Group.EXTENSIONS: (
        "Events of extensions that belong to none of the other groups; OpenTelemetry "
        "data of your own code, if this server passes it on."
    ),
}
"""What each group is about, in plain words."""


class Page(NamedTuple):
    """A Jinja template, and what it is filled with."""

    template: str
    values: dict[str, Any]


def make_page(
    collected: Collected,
    consent: dict[str, Any],
    recent: dict[str, Any],
    *,
    who: str | None,
    error: str | None,
    saved: bool,
) -> Page:
    """Return the page of one person.

    Args:
        collected: What is collected here.
        consent: As ``otel/v1/consent`` answers it.
        recent: As ``otel/v1/recent`` answers it.
        who: Their name; None: they are the server's account.
        error: Why nothing is collected although it was asked for.
        saved: Whether to say that their choices were kept.
    """
    sheet = privacy_sheet(collected, made=f"By jupyter-otel {__version__}.")
    groups, notice = consent["groups"], consent["notice"]
    values = {
        "saved": saved,
        "error": error,
        "who": who,
        "revision": collected.revision,
        "groups": {
            name: group | {"said_at": _for_people(group["changed_at"])}
            for name, group in groups.items()
        },
        "asks": any(group["mode"] in _ASKING for group in groups.values()),
        "means": MEANS,
        "notice": notice,
        "paragraphs": (notice["text"] or "").split("\n\n"),
        "recent_h": f"{recent['recent_h']:g}",
        "records": [_told(record) for record in recent["records"]],
        "sheet": html_sections(sheet.sections),
    }
    return Page(_template(), values)


@cache
def _template() -> str:
    return _TEMPLATE.read_text(encoding="utf-8")


def _told(sent: dict[str, Any]) -> dict[str, str]:
    """Return a record as the page shows it."""
    record = sent["record"]
    return {
        "sent_at": _for_people(sent["sent_at"]),
        "group": sent["group"],
        "title": record.get("eventName") or _title(sent["signal"], record),
        "summary": record.get("body", {}).get("stringValue") or sent["signal"],
        "json": json.dumps(sent, indent=2, ensure_ascii=False),
    }


def _title(signal: str, record: dict[str, Any]) -> str:
    """Return what a record is called that is of no event."""
    kind = {"logs": "log record", "traces": "span", "metrics": "metric"}[signal]
    return f"{kind} {record.get('name', '')}".rstrip()


def _for_people(time: str | None) -> str:
    """Return an RFC 3339 time in UTC as people write it."""
    return (time or "").replace("T", " ").replace("Z", " UTC")
