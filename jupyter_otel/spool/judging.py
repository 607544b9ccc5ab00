"""Whether a row that waits may still leave: asked again each time before it does.

What was true when a row was made may be so no more: the person has said no since, in
this process or another one, or the row is of a dead process that had another policy.
Who decides is not known here.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from jupyter_otel.spool.room import KeptRow
from jupyter_otel.spool.rows import Loss, Row
from jupyter_otel.tally import DropReason, Signal


class RowOrigin(NamedTuple):
    """Whose a row is, and of which time."""

    subject: str
    group: str
    revision: str
    created_ns: int


class Waiting(NamedTuple):
    """A row that could be sent now."""

    row: Row
    origin: RowOrigin


class Condemned(NamedTuple):
    """A row that waits and must not leave."""

    id: int
    loss: Loss
    size: int
    """Of its body, in bytes."""


class Judge(Protocol):
    """Decides about rows."""

    def refresh(self) -> None:
        """Learn what has changed; called before rows are judged, under no lock."""

    def objection(self, origin: RowOrigin) -> DropReason | None:
        """Return why a row must not leave, None if it may. Never raises."""


class Lenient:
    """A judge that objects to nothing."""

    def refresh(self) -> None:
        """Learn nothing."""

    def objection(self, origin: RowOrigin) -> DropReason | None:  # noqa: ARG002 - a `Judge`
        """Return None."""
        return None


class Limits(NamedTuple):
    """How much may be leased at once; one row always may."""

    max_rows: int
    max_bytes: int
    max_records: int


class Selection(NamedTuple):
    """What a sender gets, and what nobody will."""

    leased: list[Waiting]
    condemned: list[Condemned]


def select(waiting: Iterable[Waiting], judge: Judge, limits: Limits) -> Selection:
    """Return the first rows that may leave, and those before them that must not."""
    chosen = Selection([], [])
    size = records = 0
    for each in waiting:
        row, reason = each.row, judge.objection(each.origin)
        if reason is not None:
            loss = Loss(row.signal, reason, row.records)
            chosen.condemned.append(Condemned(row.id, loss, len(row.body)))
            continue
        size += len(row.body)
        records += row.records
        is_much = size > limits.max_bytes or records > limits.max_records
        if chosen.leased and is_much:
            break
        chosen.leased.append(each)
        if len(chosen.leased) == limits.max_rows:
            break
    return chosen


def unfit(
    rows: Iterable[tuple[KeptRow, RowOrigin]], judge: Judge
) -> Iterator[Condemned]:
    """Yield the rows that must not leave."""
    for row, origin in rows:
        reason = judge.objection(origin)
        if reason is not None:
            yield condemned(row, reason)


def condemned(row: KeptRow, reason: DropReason) -> Condemned:
    """Return a row as one that must not leave."""
    return Condemned(row.id, Loss(Signal(row.signal), reason, row.records), row.size)
