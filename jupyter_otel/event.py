"""An event on its way: as it is claimed, and as it may leave.

::

    RawEvent ──validate, redact──▶ RedactedEvent ──map──▶ bytes
    (claimed)                      (safe to store and send)

`RedactedEvent` carries no payload but what the redactor returned, and only the
redactor makes one: that is the privacy promise, held by the types and by a test.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeAlias

from jupyter_otel.schema import PropertyPath, Schema
from jupyter_otel.tally import Refusal, Word

UNREADABLE_TIME_NS = -1
"""In `Attribution.time_ns`: a time was stated that nobody can read."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


new = tuple.__new__
"""Makes a named tuple of its type and a tuple: what its constructor does, without the
call in between, a quarter of a microsecond. For what is made once an event."""


class Source(Word):
    """Which kind of process an event comes from."""

    SERVER = "server"
    KERNEL = "kernel"
    BROWSER = "browser"
    HUB = "hub"
    APP = "app"


class Trust(Word):
    """Who vouches for an event."""

    HUB = "hub"
    SERVER = "server"
    CLIENT = "client"


class Person(NamedTuple):
    """Whose event it is, from the host's own authentication, never from a payload."""

    subject: str
    """The key under which consent is kept and rows are erased."""
    user_name: str | None
    """None where the host knows no stable name (anonymous token)."""


TOGETHER = "\n"
"""Stands between the keys of several people whose data cannot be told apart."""

ACCOUNT = Person("account", None)
"""Whoever is known only as the operating-system account that the process runs under."""


class SpanContext(NamedTuple):
    """The span that an event is, or belongs to (W3C Trace Context)."""

    trace_id: bytes
    """16 bytes."""
    span_id: bytes
    """8 bytes."""
    parent_span_id: bytes = b""
    """8 bytes, or empty for a root."""
    sampled: bool = True
    """Whether the span is exported; a log record always is."""


class Attribution(NamedTuple):
    """What a source knows of an event besides its data: whose, when, within what."""

    person: Person | None = None
    """None: an operation that nobody asked for; it needs no consent."""
    span: SpanContext | None = None
    time_ns: int | None = None
    """Since the Unix epoch, or `UNREADABLE_TIME_NS`; None: now."""
    source: Source | None = None
    """None: the pipeline's own."""
    trust: Trust = Trust.SERVER
    validated: bool = False
    """Whether the bus validated it; then no second verdict rejects it."""


NOBODYS = Attribution()
"""An event that no person asked for, outside any span, happening now."""


class Origin(NamedTuple):
    """What events have in common that come one after another: what, whose, where from.

    What is decided by it alone is decided once for all of them.
    """

    schema: Schema
    person: Person | None
    source: Source
    trust: Trust
    validated: bool


RawEvent: TypeAlias = tuple[
    Origin | None, bytes, int, int, SpanContext | None, list[bool] | None
]
"""An event as its producer claims it.

- its origin; None: no event, but somebody who waits for all there is
- its data as UTF-8 JSON of an object, taken on the producer's thread
- when it happened, and when it was taken in, in nanoseconds since the Unix epoch
- the span that it is, or belongs to
- a receipt, where somebody waits: it gets a True once the event's records are stored

A plain tuple, for it is made in the producer's time and waits unpacked in a queue.
"""


class Provenance(NamedTuple):
    """What may leave of where events come from. Only ``redaction/`` makes one."""

    source: Source
    trust: Trust
    user: tuple[str, str] | None
    """``("user.hash", …)`` or ``("user.name", …)``."""


class RedactedEvent(NamedTuple):
    """What may be stored and sent of an event. Only ``redaction/`` makes one."""

    provenance: Provenance
    values: list[Any]
    """One JSON value a `Slot` of its plan, None where there is nothing to send."""
    time_ns: int
    observed_ns: int
    span: SpanContext | None


class Slot(NamedTuple):
    """A place in `RedactedEvent.values`: the property that lands there."""

    path: PropertyPath
    attribute: str | None
    """An overlay's standard name; None: ``jupyter.event.`` and the path."""


class Intake(Protocol):
    """Where sources hand events in; the pipeline is one."""

    def find(self, schema_id: str) -> Schema | None:
        """Return the schema of that id that an application would mean, if any."""

    def adopt(self, body: Mapping[str, Any], origin: str) -> Schema | None:
        """Return the catalog's schema for a body that another registry holds.

        None: nothing is taken in here, for this is a forked child.
        """

    def admits(self, schema: Schema) -> bool:
        """Return whether policy collects this schema at all."""

    def refuse(self, reason: Refusal, events: int = 1) -> None:
        """Count events that a source did not take, for this reason."""

    def emit(
        self,
        schema: Schema,
        data: Mapping[str, Any],
        attribution: Attribution = NOBODYS,
    ) -> bool:
        """Take in one event; return whether it was accepted. Never raises."""


def read_time(stated: object) -> int | None:
    """Return the time that somebody states, in nanoseconds since the Unix epoch.

    Read are those nanoseconds, aware datetimes, and text as in RFC 3339. jupyter_events
    writes ``2026-11-22T19:49:40.411683+00:00Z``, an offset and a Z, and a naive time
    with only the Z: text without an offset is UTC.

    Returns:
        None where no time is stated, `UNREADABLE_TIME_NS` where it cannot be read.
    """
    if stated is None:
        return None
    try:
        time_ns = stated if isinstance(stated, int) else _since_epoch(stated)
    except (ArithmeticError, TypeError, ValueError):
        return UNREADABLE_TIME_NS
    return time_ns if 0 <= time_ns < 2**64 else UNREADABLE_TIME_NS


def _since_epoch(stated: object) -> int:
    if isinstance(stated, str):
        stated = datetime.fromisoformat(stated.removesuffix("Z"))
        stated = stated.replace(tzinfo=stated.tzinfo or UTC)
    if not isinstance(stated, datetime):
        raise TypeError
    return (stated - _EPOCH) // _MICROSECOND * 1000
