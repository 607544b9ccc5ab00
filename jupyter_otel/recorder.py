"""From a batch of events to rows in the spool, on the worker's thread.

What comes before, on the caller's thread, is in ``pipeline.py``; the stages that a
single event runs through are in ``processor.py``.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

from jupyter_otel.complaints import Complaints
from jupyter_otel.event import Origin, RawEvent, Source
from jupyter_otel.mapping.mapper import Mapped
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.policy.priority import priority
from jupyter_otel.processor import Held, Lane, Processor
from jupyter_otel.schema import Group, Schema
from jupyter_otel.spool.rows import NewRow, book
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Signal
from jupyter_otel.worker import SETTLE_S, Batch, Turns

MAX_ROW_BYTES = 64 * 2**10
EVENTS_PER_LOOK = 8
"""How often the worker looks at the clock: whether its turn is over."""

# Python 3.11 looks a member of an enum up by a call: not for every event.
_LOGS, _TRACES = Signal.LOGS, Signal.TRACES

_Place: TypeAlias = tuple[Source, str, Group]
"""Source, subject and group of a record."""
_RowKey: TypeAlias = tuple[Signal, _Place]
"""What the records of one row share."""
_Records: TypeAlias = defaultdict[_RowKey, list[bytes]]


class Recorder:
    """Turns batches of events into rows, and books what becomes of each event.

    Args:
        processor: Runs single events through the stages.
        spool: Where the rows end up.
        requests: Wraps records into rows that can be sent.
        books: Counts what becomes of each record.
        complaints: Where losses are told.
        wake_delivery: Called after rows of a signal were added.
        sends_traces: Whether spans are wanted; log records keep their ids either way.
        revision: Names the policy in the rows.
    """

    def __init__(  # noqa: PLR0913 - put together once, in ``pipeline.py``
        self,
        processor: Processor,
        spool: Spool,
        requests: RequestWriter,
        books: Books,
        complaints: Complaints,
        *,
        wake_delivery: Callable[[Signal], None],
        sends_traces: bool,
        revision: str,
    ) -> None:
        self._processor = processor
        self._spool = spool
        self._requests = requests
        self._books = books
        self._complaints = complaints
        self._wake_delivery = wake_delivery
        self._sends_traces = sends_traces
        self._revision = revision
        self._sorted = 0
        """How many events of the batch in hand have records, or their end."""
        self._unstored: _Records = defaultdict(list)
        """Their records, until the spool has them."""

    def record(self, batch: Batch[RawEvent]) -> None:
        """Process a batch into rows and store them in one transaction."""
        records: _Records = defaultdict(list)
        self._unstored = records
        self._sorted = 0
        tracks: dict[Origin, _Track] = {}
        receipts = []
        self._processor.refresh()
        turns = Turns()
        for number, raw in enumerate(batch, start=1):
            origin, _, _, _, _, receipt = raw
            if origin is None:
                self._close_folds(records, math.inf)
            else:
                track = tracks.get(origin)
                if track is None:
                    track = tracks[origin] = self._track(origin, records)
                if self._sort(raw, origin, track) and receipt is not None:
                    receipts.append(receipt)
            self._sorted = number
            if number % EVENTS_PER_LOOK == 0:
                turns.give()
        if self._store(records):
            for receipt in receipts:
                receipt.append(True)

    def settle(self) -> float | None:
        """Write rows that no receiver took at once; return when to be called again."""
        now_s = time.monotonic()
        end_s = self._processor.next_fold_end_s()
        if end_s is None or end_s > now_s:
            book(self._spool.settle(), self._books, self._complaints)
            return None if end_s is None else end_s - now_s
        records: _Records = defaultdict(list)
        self._unstored = records
        self._close_folds(records, now_s)
        self._store(records)
        return SETTLE_S

    def lose(self, batch: Batch[RawEvent], error: Exception) -> None:
        """Count what had no end in the books when something unforeseen happened."""
        unsorted = islice(batch, self._sorted, None)
        self._books.drop(
            _LOGS,
            DropReason.SPOOL_ERROR,
            sum(origin is not None for origin, *_ in unsorted),
        )
        for (signal, *_), bodies in self._unstored.items():
            self._books.drop(signal, DropReason.SPOOL_ERROR, len(bodies))
        self._complaints.say(
            "worker", f"A batch of records was lost to {type(error).__name__}."
        )

    def drop(self, reason: DropReason, schema: Schema) -> None:
        """Count an event that came in and goes nowhere, and say so."""
        self._books.drop(_LOGS, reason)
        self.complain(reason, schema)

    def complain(self, reason: DropReason, schema: Schema) -> None:
        """Say why an event goes nowhere, unless a person or a setting wanted that."""
        if reason not in (DropReason.NO_CONSENT, DropReason.SAMPLED):
            text = f"Events of {schema.id} are dropped: {reason}."
            self._complaints.say(f"{reason} {schema.id}", text)

    def _track(self, origin: Origin, records: _Records) -> "_Track":
        lane = self._processor.lane(origin)
        # Where there is no lane there will be no records.
        subject = lane.subject if isinstance(lane, Lane) else ""
        place = (origin.source, subject, origin.schema.overlay.group)
        return _Track(lane, records[_LOGS, place], records[_TRACES, place])

    def _sort(self, raw: RawEvent, origin: Origin, track: "_Track") -> bool:
        """Put an event's records with those they share a row with; False: none."""
        lane, log_records, spans = track
        outcome = lane.process(raw) if isinstance(lane, Lane) else lane
        if isinstance(outcome, Mapped):
            log_record, span, unsampled = outcome
            log_records.append(log_record)
            if span is not None or unsampled:
                self._add_span(span, spans)
            return True
        if isinstance(outcome, Held):
            self._books.aggregate(_LOGS, int(outcome.is_folded))
        else:
            self.drop(outcome, origin.schema)
        return False

    def _close_folds(self, records: _Records, now_s: float) -> None:
        """Put the records of windows that are over with the others."""
        for schema, fold, outcome in self._processor.close_folds(now_s):
            if isinstance(outcome, DropReason):
                self.drop(outcome, schema)
                continue
            source = fold.event.provenance.source
            place = (source, fold.subject, schema.overlay.group)
            records[_LOGS, place].append(outcome.log_record)
            if outcome.span is not None or outcome.unsampled:
                self._add_span(outcome.span, records[_TRACES, place])

    def _add_span(self, span: bytes | None, spans: list[bytes]) -> None:
        """Book a span that was completed; None: the sampler left it out."""
        if not self._sends_traces:
            return
        self._books.accept(_TRACES)
        if span is None:
            self._books.drop(_TRACES, DropReason.SAMPLED)
        else:
            spans.append(span)

    def _store(self, records: _Records) -> bool:
        """Append the rows; return whether all of them are stored."""
        rows = [
            self._row(key, chunk)
            for key, bodies in records.items()
            for chunk in _chunks(bodies)
        ]
        if not rows:
            return True
        losses = self._spool.append(rows)
        records.clear()
        book(losses, self._books, self._complaints)
        for signal in {row.signal for row in rows}:
            self._wake_delivery(signal)
        return not losses

    def _row(self, key: _RowKey, bodies: list[bytes]) -> NewRow:
        signal, (source, subject, group) = key
        return NewRow(
            signal=signal,
            subject=subject,
            group=group,
            priority=priority(group),
            records=len(bodies),
            revision=self._revision,
            body=self._requests.write(source, bodies),
        )


class _Track(NamedTuple):
    """Where the events of one origin go in a batch: through the stages, to the rows."""

    lane: Lane | DropReason
    log_records: list[bytes]
    spans: list[bytes]


def _chunks(bodies: list[bytes]) -> Iterator[list[bytes]]:
    """Yield records by the row, small enough for the spool's journal."""
    chunk: list[bytes] = []
    size = 0
    for body in bodies:
        if size + len(body) > MAX_ROW_BYTES and chunk:
            yield chunk
            chunk, size = [], 0
        chunk.append(body)
        size += len(body)
    if chunk:
        yield chunk
