"""The privacy sheet: what a security or data-protection officer asks for.

Every fact in it comes out of `Collected`; here are only the words around the facts.
"""

from collections.abc import Iterable, Iterator, Mapping

from jupyter_otel.disclosure.collected import (
    Collected,
    CollectedProperty,
    CollectedSchema,
    Destination,
)
from jupyter_otel.disclosure.document import (
    Block,
    Bullets,
    Document,
    Heading,
    Section,
    Table,
)
from jupyter_otel.disclosure.integrity import TRUST, exposures
from jupyter_otel.schema import Action, Category, Level

_MODES = {
    "opt_in": "Asked first: nothing about a person leaves before their yes.",
    "opt_out": "Collected until the person says no.",
    "mandatory": "Collected without a choice; people have to be told.",
    "off": "Not collected.",
}
_IDENTITY = {
    "none": "No record names the person behind it.",
    "hash": (
        "Records carry a keyed hash of the user name. That is a pseudonym, not "
        "anonymity: whoever holds the key can find out whose it is. A server that "
        "knows nobody by name (a token, a shared password) has none to hash."
    ),
    "name": (
        "Records carry the user name in clear, where the server knows people by name."
    ),
}
_CODE = {
    "none": "Executed code never leaves.",
    "hash": "Of executed code a keyed hash leaves: equal code can be recognised.",
    "text": (
        "Executed code leaves as text, with what looks like a secret or a person taken "
        "out. Patterns find shapes, not meanings: expect that some of it gets through."
    ),
}
MEANT: Mapping[Category, str] = {
    Category.OPERATIONAL: "states, counts, durations, technical ids",
    Category.IDENTITY: "names of people",
    Category.LOCATION: "paths, file names, URLs",
    Category.CONTENT: "code, arguments, what people wrote",
    Category.FREE_TEXT: "messages and texts that may hold anything",
    Category.NETWORK: "addresses of clients and machines",
}
"""What each category is for, in plain words."""
_HOUR_S = 3600
_DAY_H = 24


def privacy_sheet(collected: Collected, *, made: str) -> Document:
    """Return the sheet of a live policy.

    Args:
        collected: What the policy collects.
        made: When and by what it was made, for the first line.
    """
    sections = [_summary(collected, made)]
    if collected.level is not Level.NONE:
        sections += [
            _purpose(collected),
            _consent(collected),
            _travel(collected),
            _people(collected),
            _schemas(collected),
            _additions(collected),
        ]
    sections += [_never(), _integrity(collected), _roads(collected), _checks()]
    return Document("Privacy sheet: what Jupyter sends as telemetry", sections)


def _summary(collected: Collected, made: str) -> Section:
    if collected.level is Level.NONE:
        nothing = "Nothing is collected: the level is none, or OTEL_SDK_DISABLED is on."
        return Section("In short", [nothing, made])
    raw = [
        *_leaving(collected, Action.ALLOW, Action.TRUNCATE, Action.SCRUB),
        *(["names of people"] if collected.identity == "name" else []),
    ]
    hashed = [
        *_leaving(collected, Action.HASH),
        *(["names of people"] if collected.identity == "hash" else []),
    ]
    items = [
        f"Level {collected.level}; {len(collected.schemas)} kinds of events.",
        f"In clear, cut or scrubbed: {_listed(raw)}.",
        f"As keyed hashes: {_listed(hashed)}.",
        _CODE[collected.code],
        f"To: {_listed(one.place for one in collected.destinations)}.",
        f"Policy revision {collected.revision}.",
    ]
    if collected.overlays:
        items.append(f"Administrators' own rules: {', '.join(collected.overlays)}.")
    return Section("In short", [Bullets(items), made])


def _leaving(collected: Collected, *actions: Action) -> list[str]:
    categories = {
        one.category
        for schema in collected.schemas
        for one in schema.properties
        if one.action in actions
    }
    told = [text for category, text in MEANT.items() if category in categories]
    return told + (["properties that nobody classified"] if None in categories else [])


def _listed(items: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(items)) or "nothing"


def _purpose(collected: Collected) -> Section:
    nothing = "Not stated. Set OtelConsent.notice: it is shown to people, too."
    paragraphs = [" ".join(part.split()) for part in collected.notice.split("\n\n")]
    blocks: list[Block] = [part for part in paragraphs if part] or [nothing]
    asked = [
        f"Whom to ask: {collected.contact or 'not stated (OtelConsent.contact)'}.",
        f"Privacy policy: {collected.policy_url or 'not stated'}.",
    ]
    return Section("What for, and whom to ask", [*blocks, Bullets(asked)])


def _consent(collected: Collected) -> Section:
    counts = {
        group: sum(schema.group == group for schema in collected.schemas)
        for group in collected.modes
    }
    rows = [
        (group, str(counts[group]), mode, _MODES[mode])
        for group, mode in collected.modes.items()
    ]
    head = ("Group", "Kinds of events", "Mode", "What it means")
    items = [
        "Records that no person caused need no consent: what a server does by itself.",
        (
            "People answer, change their mind, and read what is collected and what "
            "left of theirs on the page otel of their server. A no also erases what "
            "waits here and what is kept for reading; what the receiver has it keeps."
        ),
    ]
    table = Table(head, rows, "Consent for each group of events")
    return Section("Who decides", [table, Bullets(items)])


def _travel(collected: Collected) -> Section:
    rows = [(one.signal, one.place, _encryption(one)) for one in collected.destinations]
    kept = collected.kept
    place = "in memory only" if kept.place is None else f"in {kept.place}"
    items = [
        (
            f"What waits to be sent is kept {place}, at most {kept.max_mib} MiB a "
            f"process and {_hours(kept.until_sent_s / _HOUR_S)}; then it is dropped "
            "and counted."
        ),
        "What is kept there is already redacted: the same bytes that are sent.",
    ]
    if kept.recent_h:
        items.append(
            f"What was sent stays there for {_hours(kept.recent_h)}, so that people "
            "can read their own records."
        )
    if any(one.kind == "directory" for one in collected.destinations):
        items.append("Files in a folder are rotated by size, never deleted by age.")
    items.append("How long the receiver keeps records is the receiver's own rule.")
    table = Table(("Signal", "To", "On the way"), rows, "Where records go")
    return Section("Where it goes, how long it is kept here", [table, Bullets(items)])


def _encryption(destination: Destination) -> str:
    said = {
        None: "stays on this machine",
        True: "encrypted (TLS)",
        False: "NOT encrypted",
    }
    return said[destination.is_encrypted]


def _hours(hours: float) -> str:
    if hours >= _DAY_H and hours % _DAY_H == 0:
        return "1 day" if hours == _DAY_H else f"{hours / _DAY_H:g} days"
    return f"{hours:g} hours"


def _people(collected: Collected) -> Section:
    key = collected.hash_key_id or "none yet, made at first use"
    items = [
        _IDENTITY[collected.identity],
        (
            f"Hashes are HMAC-SHA-256 under a key of this deployment (key id {key}); "
            "without the key they can neither be read nor made from guesses."
        ),
    ]
    return Section("How people are named", [Bullets(items)])


def _schemas(collected: Collected) -> Section:
    blocks: list[Block] = [
        (
            "Only what is listed here leaves, and only so. What an event carries "
            "besides is dropped and counted."
        )
    ]
    for schema in collected.schemas:
        blocks += _schema(schema)
    blocks.append(
        "Schemas that an extension registers only while a server runs are not on this "
        "sheet; that server's otel/v1/collected lists them. Without a rule of an "
        "administrator nothing of them is collected."
    )
    return Section("What is collected", blocks)


def _schema(schema: CollectedSchema) -> Iterator[Block]:
    title = f"{schema.title}: " if schema.title else ""
    yield Heading(f"{title}{schema.event_name}")
    yield " ".join(_about(schema))
    rows = [_row(one) for one in schema.properties]
    head = (
        "Property",
        "What it is",
        "Category",
        "What is done",
        "Leaves as",
        "Decided by",
    )
    yield Table(head, rows, f"Properties of {schema.event_name}")


def _about(schema: CollectedSchema) -> Iterator[str]:
    yield f"{schema.id}, from {schema.package or schema.origin}."
    yield f"Group {schema.group} ({schema.mode}). Collected by {schema.chosen_by}."
    if schema.makes_span:
        yield "Also sent as a span, with the same attributes."
    if schema.sample < 1:
        yield f"Only {schema.sample:.0%} of the events are kept."
    if schema.window_s is not None:
        yield f"Events alike within {schema.window_s:g} s become one record."


def _row(one: CollectedProperty) -> tuple[str, ...]:
    done = f"{one.action}: {one.means}"
    return (
        one.name,
        one.description or "-",
        one.category or "unclassified",
        done,
        one.attribute or "-",
        one.rule,
    )


def _additions(collected: Collected) -> Section:
    rows = [(one.name, one.on, one.means) for one in collected.added]
    table = Table(("Attribute", "On", "What it is"), rows, "Set on the way")
    times = (
        "Each record also has the time of the event, the time it was taken in, and the "
        "ids of the trace and span it belongs to."
    )
    return Section("What is added on the way", [table, times])


def _never() -> Section:
    items = [
        "Outputs of executed code.",
        (
            "Properties that a schema does not declare, and declared ones that no rule "
            "classifies, unless a table above says otherwise."
        ),
        (
            "tracestate and baggage that clients send; error messages of the "
            "validation; values in log lines or metrics of this software."
        ),
        "Command lines, environment variables, tokens and cookies of the server.",
    ]
    return Section("What never leaves", [Bullets(items)])


def _integrity(collected: Collected) -> Section:
    rows = [tuple(one) for one in exposures(collected)]
    table = Table(
        ("Who", "Could", "Could not"), rows, "Who could forge or suppress what"
    )
    return Section("How far records can be trusted", [TRUST, table])


def _roads(collected: Collected) -> Section:
    before = (
        "Everything above is about events of known schemas. Other OpenTelemetry data "
        "may leave by two declared roads only, and is not redacted on them."
    )
    rows = [
        (one.name, "open" if one.is_open else "closed", one.means)
        for one in collected.roads
    ]
    table = Table(("Road", "Now", "What it is"), rows, "Roads beside the events")
    return Section("Data that is no event", [before, table])


def _checks() -> Section:
    items = [
        (
            "jupyter otel preview --explain: what would leave of one event, and the "
            "rule for each property."
        ),
        "jupyter otel schemas show ID: one schema, and what each level does to it.",
        "jupyter otel status: how many records were taken in, sent, dropped, and why.",
        "otel in the server's own address: the same for the people concerned.",
    ]
    return Section("How to check this", [Bullets(items)])
