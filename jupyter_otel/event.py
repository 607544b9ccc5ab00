"""An event on its way: claimed, validated, redacted; one type for each.

::

    RawEvent ──validate──▶ Event ──redact──▶ RedactedEvent ──map──▶ Record
    (claimed)              (fits)            (safe to store and send)  (OTLP bytes)

`RedactedEvent` carries no payload but what the redactor returned, and only the
redactor makes one: that is the privacy promise, held by the types and by a test.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from jupyter_otel.schema import PropertyPath, Schema
from jupyter_otel.tally import Signal, Word

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


class RawEvent(NamedTuple):
    """An event as its producer claims it, its data snapshot as JSON."""

    schema: Schema
    data: bytes
    """UTF-8 JSON of an object, taken on the producer's thread."""
    time_ns: int
    observed_ns: int
    source: Source
    attribution: Attribution


class Event(NamedTuple):
    """An event whose data fits its schema."""

    raw: RawEvent
    data: dict[str, Any]


class RedactedEvent(NamedTuple):
    """What may be stored and sent of an event. Only ``redaction/`` makes one."""

    schema: Schema
    values: list[Any]
    """One JSON value a `Slot` of its plan, None where there is nothing to send."""
    user: tuple[str, str] | None
    """``("user.hash", …)`` or ``("user.name", …)``."""
    time_ns: int
    observed_ns: int
    source: Source
    trust: Trust
    span: SpanContext | None


class Slot(NamedTuple):
    """A place in `RedactedEvent.values`: the property that lands there."""

    path: PropertyPath
    attribute: str | None
    """An overlay's standard name; None: ``jupyter.event.`` and the path."""


class Record(NamedTuple):
    """One OTLP message, encoded, and what the spool must know about it."""

    signal: Signal
    body: bytes
    """A serialized ``LogRecord`` or ``Span``, without tag and length."""
    scope: Source
    subject: str
    """Empty where nobody's."""
    group: str
    priority: int
    """Higher is kept longer when room runs out."""


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

    def refuse_unknown(self) -> None:
        """Count an event whose schema nobody registered."""

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
