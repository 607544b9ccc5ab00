"""What goes into the spool, what comes out, and what was lost on the way."""

from collections.abc import Sequence
from typing import NamedTuple

from jupyter_otel.complaints import Complaints
from jupyter_otel.tally import Books, DropReason, Signal


class NewRow(NamedTuple):
    """Records to keep until they are sent, all of one signal, subject and group."""

    signal: Signal
    subject: str
    """Whose records they are; empty where nobody's; of several, all keys."""
    group: str
    """The consent group of their schemas."""
    priority: int
    """Higher is kept longer when room runs out."""
    records: int
    revision: str
    """The policy under which they were made."""
    body: bytes
    """A whole serialized ``Export{Logs,Trace,Metrics}ServiceRequest``."""


class Row(NamedTuple):
    """A row that is leased: what the sender needs of it."""

    id: int
    signal: Signal
    records: int
    attempts: int
    """How often sending it was tried in vain."""
    body: bytes


class StoredRow(NamedTuple):
    """A row with what it had gone through in another process's spool."""

    row: NewRow
    attempts: int
    created_ns: int


class Loss(NamedTuple):
    """Records that will never be sent, and why; the caller books them."""

    signal: Signal
    reason: DropReason
    records: int


def book(losses: Sequence[Loss], books: Books, complaints: Complaints) -> None:
    """Count what was lost, and say so, unless a person wanted that."""
    for signal, reason, records in losses:
        books.drop(signal, reason, records)
        if reason is not DropReason.NO_CONSENT:
            complaints.say(reason, f"Records were lost: {reason}.")


def none_of_the_future(rows: Sequence[StoredRow], now_ns: int) -> list[StoredRow]:
    """Return rows of a clock that was wrong as made now: they would never be too old.

    Args:
        rows: Of a spool of another process.
        now_ns: The time.
    """
    return [row._replace(created_ns=min(row.created_ns, now_ns)) for row in rows]
