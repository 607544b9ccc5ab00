"""Events that say how many records were lost, and why, once some get through again."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from jupyter_otel.event import Intake
from jupyter_otel.tally import Books, DropReason, Signal, Tally

PIPELINE_REPORT = "https://events.jupyter.org/jupyter_otel/pipeline_report/v1"
INTERVAL_S = 60.0
"""How often at most: a report may itself be lost, and cause the next one."""

# What was decided (consent, sampling, policy) is no loss of the road's, and an event
# that is invalid or too large is its producer's.
_LOSSES = frozenset(DropReason) - {
    DropReason.INVALID,
    DropReason.NO_CONSENT,
    DropReason.SAMPLED,
    DropReason.POLICY_CHANGED,
    DropReason.TOO_LARGE,
}


class _Kind(NamedTuple):
    signal: str
    reason: str


class PipelineReports:
    """Emits what was lost since the report before. Safe in any thread.

    Args:
        books: Where losses are counted.
        intake: Where the reports go in.
        now_s: A monotonic clock.
    """

    def __init__(
        self,
        books: Books,
        intake: Intake,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._books = books
        self._intake = intake
        self._now_s = now_s
        self._lock = threading.Lock()
        self._reported: dict[_Kind, int] = {}
        self._since_s = now_s()
        self._next_s = self._since_s

    def report(self) -> None:
        """Report new losses, unless it was done within the last minute.

        For a sender's thread, after each request that a receiver took.
        """
        # Whoever holds the lock reports what there is.
        if self._now_s() < self._next_s or not self._lock.acquire(blocking=False):
            return
        try:
            self._report()
        finally:
            self._lock.release()

    def report_last(self) -> None:
        """Report what is new in any case: the pipeline is about to end."""
        with self._lock:
            self._report()

    def _report(self) -> None:
        schema = self._intake.find(PIPELINE_REPORT)
        losses = dict(_losses(self._books.tally()))
        if losses == self._reported or schema is None:
            return
        if not self._intake.admits(schema):
            return
        now_s = self._now_s()
        for kind, total in losses.items():
            data = self._describe(kind, total, now_s)
            if data and not self._intake.emit(schema, data):
                return  # still too much: with the next request that is taken
            self._reported[kind] = total
        self._since_s, self._next_s = now_s, now_s + INTERVAL_S

    def _describe(self, kind: _Kind, total: int, now_s: float) -> dict[str, Any]:
        records = total - self._reported.get(kind, 0)
        if not records:
            return {}
        return {
            "signal": kind.signal,
            "reason": kind.reason,
            "records": records,
            "total": total,
            "period_ms": round((now_s - self._since_s) * 1e3),
        }


def _losses(tally: Tally) -> Iterator[tuple[_Kind, int]]:
    for signal in Signal:
        dropped = getattr(tally, signal.value).dropped
        for reason in _LOSSES & dropped.keys():
            yield _Kind(signal.value, str(reason.value)), dropped[reason]
