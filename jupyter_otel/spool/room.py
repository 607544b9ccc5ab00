"""Which rows go when the spool is full: a decision over sizes, no database."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jupyter_otel.spool.rows import Loss, NewRow
from jupyter_otel.tally import DropReason, Signal


class KeptRow(NamedTuple):
    """A row already in the spool, as the search for room sees it."""

    id: int
    signal: str
    records: int
    size: int
    priority: int


class Plan(NamedTuple):
    """What happens to the old rows and to the new ones."""

    keep: list[NewRow]
    lose: list[NewRow]
    evict: list[KeptRow]

    def losses(self) -> list[Loss]:
        """Return what is lost by it."""
        old = [
            Loss(Signal(row.signal), DropReason.SPOOL_FULL, row.records)
            for row in self.evict
        ]
        return [*old, *losses_of(self.lose, DropReason.SPOOL_FULL)]


def plan_refusal(rows: Sequence[NewRow], free_bytes: int) -> Plan:
    """Keep what fits, the higher priority first; nothing old goes."""
    keep: list[NewRow] = []
    lose: list[NewRow] = []
    for row in sorted(rows, key=_priority, reverse=True):
        fits = len(row.body) <= free_bytes
        (keep if fits else lose).append(row)
        free_bytes -= len(row.body) if fits else 0
    return Plan(keep, lose, [])


def plan_eviction(
    rows: Sequence[NewRow], worst_first: Iterable[KeptRow], free_bytes: int, room: int
) -> Plan:
    """Let the lowest priority go, oldest within it, until the rest fits.

    Args:
        rows: The new rows, oldest first.
        worst_first: Rows that may go, lowest priority first, oldest within it.
        free_bytes: What is free before anything goes.
        room: What the spool holds at most; a larger row never displaces others.
    """
    lose = [row for row in rows if len(row.body) > room]
    new = sorted((row for row in rows if len(row.body) <= room), key=_priority)
    missing = sum(len(row.body) for row in new) - free_bytes
    evict: list[KeptRow] = []
    old = iter(worst_first)
    candidate = next(old, None)
    taken = 0
    while missing > 0 and (candidate is not None or taken < len(new)):
        if candidate is not None and _goes_first(candidate, new, taken):
            evict.append(candidate)
            missing -= candidate.size
            candidate = next(old, None)
        else:
            missing -= len(new[taken].body)
            taken += 1
    return Plan(new[taken:], [*lose, *new[:taken]], evict)


def losses_of(rows: Sequence[NewRow], reason: DropReason) -> list[Loss]:
    """Return what is lost with new rows."""
    return [Loss(row.signal, reason, row.records) for row in rows]


def _goes_first(old: KeptRow, new: Sequence[NewRow], taken: int) -> bool:
    return taken == len(new) or old.priority <= new[taken].priority


def _priority(row: NewRow) -> int:
    return row.priority
