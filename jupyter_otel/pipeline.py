"""From an event handed in to rows in the spool: the threads around the stages.

::

    caller's thread   gate ─ snapshot ─▶ queue
    worker thread     the stages in order (``processor.py``) ▸ rows ▸ spool
    sender threads    (``delivery.py``) lease ▸ send ▸ acknowledge

Each stage is built by who composes the pipeline.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from jupyter_otel.complaints import Complaints, printable
from jupyter_otel.errors import SchemaError
from jupyter_otel.event import (
    NOBODYS,
    UNREADABLE_TIME_NS,
    Attribution,
    RawEvent,
    Source,
)
from jupyter_otel.mapping.mapper import Mapped
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.policy.priority import priority
from jupyter_otel.processor import Held, Processor, Stages, claim, subject_of
from jupyter_otel.schema import Group, Schema
from jupyter_otel.snapshot import MAX_SNAPSHOT_BYTES, read_snapshot, take_snapshot
from jupyter_otel.spool.rows import Loss, NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Refusal, Remark, Signal
from jupyter_otel.worker import SETTLE_S, Turns, Worker

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


class Pipeline:
    """Takes events in from any thread and leaves their records in the spool.

    Args:
        stages: What events run through.
        spool: Where the records end up.
        requests: Wraps records into rows that can be sent.
        books: Counts what becomes of each record.
        source: Of events whose producer names none.
        wake_delivery: Called after rows of a signal were added.
        sends_traces: Whether spans are wanted; log records keep their ids either way.
        revision: Names the policy in the rows.
        sync_timeout_s: How long `emit` waits for the disk; None: it does not wait.
        strict: Whether `emit` raises for an invalid event.
    """

    def __init__(  # noqa: PLR0913 - put together once, in ``assembly.py``
        self,
        stages: Stages,
        spool: Spool,
        requests: RequestWriter,
        books: Books,
        *,
        source: Source,
        wake_delivery: Callable[[Signal], None],
        sends_traces: bool = True,
        revision: str = "",
        sync_timeout_s: float | None = None,
        strict: bool = False,
    ) -> None:
        self._stages = stages
        self._spool = spool
        self._requests = requests
        self._books = books
        self._source = source
        self._wake_delivery = wake_delivery
        self._sends_traces = sends_traces
        self._revision = revision
        self._sync_timeout_s = sync_timeout_s
        self._strict = strict
        self._complaints = Complaints()
        self._verdicts: dict[Schema, Refusal | None] = {}
        self._admitted: set[Schema] = set()
        """The gate: one look-up in here passes nearly every event."""
        self._is_open, self._is_inherited = True, False
        self._awaited: dict[int, list[RawEvent]] = {}
        """Where events that a producer waits for go once stored, by their identity."""
        self._processor = Processor(stages, folds=sync_timeout_s is None)
        self._sorted = 0
        """How many events of the batch in hand have records, or their end."""
        self._unstored: _Records = defaultdict(list)
        """Their records, until the spool has them."""
        # None in the queue closes every window: somebody waits for all there is.
        self._worker: Worker[RawEvent | None] = Worker(
            self._work, self._lose_batch, settle=self._settle
        )

    def start(self) -> None:
        """Start the worker's thread."""
        self._worker.start()

    def find(self, schema_id: str) -> Schema | None:
        """Return the schema of that id that an application would mean, if any."""
        return None if self._is_inherited else self._stages.catalog.find(schema_id)

    def adopt(self, body: Mapping[str, Any], origin: str) -> Schema | None:
        """Return the catalog's schema for a body that another registry holds."""
        return None if self._is_inherited else self._stages.catalog.adopt(body, origin)

    def admits(self, schema: Schema) -> bool:
        """Return whether policy collects this schema at all."""
        return self.refusal(schema) is None

    def refusal(self, schema: Schema) -> Refusal | None:
        """Return why policy does not collect this schema, None if it does."""
        if schema not in self._verdicts:
            self._verdicts[schema] = self._stages.policy.refusal(schema)
        if self._verdicts[schema] is None:
            self._admitted.add(schema)
        return self._verdicts[schema]

    def refuse_unknown(self) -> None:
        """Count an event whose schema nobody registered."""
        if not self._is_inherited:
            self._books.refuse(_LOGS, Refusal.UNKNOWN_SCHEMA)

    def emit(
        self,
        schema: Schema,
        data: Mapping[str, Any],
        attribution: Attribution = NOBODYS,
    ) -> bool:
        """Take in one event; return whether it was accepted (in ``sync``: is on disk).

        Raises:
            SchemaError: The event is invalid, and the pipeline is strict.
        """
        if not self._is_open:
            return not self._is_inherited and self._refuse(Refusal.SHUTDOWN)
        if schema not in self._admitted and self.refusal(schema) is not None:
            return self._refuse(self.refusal(schema) or Refusal.LEVEL)
        snapshot = take_snapshot(data)
        if snapshot is None:
            return self._refuse(Refusal.NOT_JSON)
        if self._strict:
            self._raise_if_invalid(schema, snapshot)
        if attribution.time_ns == UNREADABLE_TIME_NS:
            self._books.remark(Remark.UNREADABLE_TIME)
        raw = claim(schema, snapshot, attribution, self._source)
        if self._sync_timeout_s is not None:
            return self._put_and_wait(raw, self._sync_timeout_s)
        return self._put(raw)

    def finish(self, timeout_s: float) -> bool:
        """Wait until all that was accepted before is in the spool; False: too long."""
        if self._is_inherited:
            return False
        self._worker.put(None, 0)
        return self._worker.finish(timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Take nothing more in; what is queued goes to the spool, or is dropped."""
        self._is_open = False
        if self._is_inherited:
            return
        self._worker.put(None, 0)
        for raw in self._worker.stop(timeout_s):
            if raw is not None:
                self._drop(DropReason.SHUTDOWN, raw.schema)

    def leave_to_parent(self) -> None:
        """In a forked child: be inert for ever, and never touch a lock."""
        self._is_inherited, self._is_open = True, False

    def _raise_if_invalid(self, schema: Schema, snapshot: bytes) -> None:
        validator = self._stages.catalog.validator(schema)
        data = read_snapshot(snapshot)
        if not validator.is_valid(data):
            where = validator.explain(data)
            name = printable(schema.id)
            raise SchemaError(f"The event does not fit {name}: {where}.")

    def _refuse(self, reason: Refusal) -> bool:
        self._books.refuse(_LOGS, reason)
        return False

    def _put(self, raw: RawEvent) -> bool:
        """Accept an event and queue it; what cannot be queued is dropped at once."""
        size = len(raw.data)
        self._books.accept(_LOGS)
        try:
            if size <= MAX_SNAPSHOT_BYTES and self._worker.put(raw, size):
                return True
        except RecursionError:
            pass  # where the producer stands the books can be reached, not the queue
        reason = DropReason.OVERLOAD if self._is_open else DropReason.SHUTDOWN
        if size > MAX_SNAPSHOT_BYTES:
            reason = DropReason.TOO_LARGE
        self._books.drop(_LOGS, reason)
        self._complain(reason, raw.schema)
        return False

    def _put_and_wait(self, raw: RawEvent, timeout_s: float) -> bool:
        """Put an event and wait for the disk; whoever waits shares one commit."""
        stored: list[RawEvent] = []
        self._awaited[id(raw)] = stored
        try:
            if self._put(raw):
                self._worker.finish(timeout_s)
        finally:
            del self._awaited[id(raw)]
        return bool(stored)

    def _work(self, batch: Sequence[RawEvent | None]) -> None:
        """Process a batch into rows and store them in one transaction."""
        records: _Records = defaultdict(list)
        self._unstored = records
        self._sorted = 0
        sorted_in = []
        turns = Turns()
        for number, raw in enumerate(batch, start=1):
            if raw is None:
                self._close_folds(records, math.inf)
            elif self._sort(raw, records) and self._awaited:
                sorted_in.append(raw)
            self._sorted = number
            if number % EVENTS_PER_LOOK == 0:
                turns.give()
        if self._store(records):
            for raw in sorted_in:
                self._awaited.get(id(raw), []).append(raw)

    def _sort(self, raw: RawEvent, records: _Records) -> bool:
        """Put an event's records with those they share a row with; False: none."""
        outcome = self._processor.process(raw)
        if isinstance(outcome, Mapped):
            place = (raw.source, subject_of(raw), raw.schema.overlay.group)
            self._add(records, outcome, place)
            return True
        if isinstance(outcome, Held):
            self._books.aggregate(_LOGS, int(outcome.is_folded))
        else:
            self._drop(outcome, raw.schema)
        return False

    def _close_folds(self, records: _Records, now_s: float) -> None:
        """Put the records of windows that are over with the others."""
        for schema, fold, outcome in self._processor.close_folds(now_s):
            if isinstance(outcome, DropReason):
                self._drop(outcome, schema)
                continue
            place = (fold.event.source, fold.subject, schema.overlay.group)
            self._add(records, outcome, place)

    def _add(self, records: _Records, mapped: Mapped, place: _Place) -> None:
        log_record, span, unsampled = mapped
        records[_LOGS, place].append(log_record)
        if not self._sends_traces:
            return
        if span is not None:
            self._books.accept(_TRACES)
            records[_TRACES, place].append(span)
        elif unsampled:
            self._books.accept(_TRACES)
            self._books.drop(_TRACES, DropReason.SAMPLED)

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
        self._book(losses)
        for signal in {row.signal for row in rows}:
            self._wake_delivery(signal)
        return not losses

    def _settle(self) -> float | None:
        """Write rows that no receiver took at once; return when to be called again."""
        now_s = time.monotonic()
        end_s = self._processor.next_fold_end_s()
        if end_s is None or end_s > now_s:
            self._book(self._spool.settle())
            return None if end_s is None else end_s - now_s
        records: _Records = defaultdict(list)
        self._unstored = records
        self._close_folds(records, now_s)
        self._store(records)
        return SETTLE_S

    def _book(self, losses: Sequence[Loss]) -> None:
        for signal, reason, lost in losses:
            self._books.drop(signal, reason, lost)
            self._complaints.say(reason, f"Records were lost: {reason}.")

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

    def _lose_batch(self, batch: Sequence[RawEvent | None], error: Exception) -> None:
        """Count what had no end in the books when something unforeseen happened."""
        unsorted = sum(raw is not None for raw in batch[self._sorted :])
        self._books.drop(_LOGS, DropReason.SPOOL_ERROR, unsorted)
        for (signal, *_), bodies in self._unstored.items():
            self._books.drop(signal, DropReason.SPOOL_ERROR, len(bodies))
        self._complaints.say(
            "worker", f"A batch of records was lost to {type(error).__name__}."
        )

    def _drop(self, reason: DropReason, schema: Schema) -> None:
        self._books.drop(_LOGS, reason)
        self._complain(reason, schema)

    def _complain(self, reason: DropReason, schema: Schema) -> None:
        if reason not in (DropReason.NO_CONSENT, DropReason.SAMPLED):
            text = f"Events of {schema.id} are dropped: {reason}."
            self._complaints.say(f"{reason} {schema.id}", text)


def _chunks(bodies: list[bytes]) -> list[list[bytes]]:
    """Split records into rows small enough for the spool's journal."""
    chunks: list[list[bytes]] = [[]]
    size = 0
    for body in bodies:
        if size + len(body) > MAX_ROW_BYTES and chunks[-1]:
            chunks.append([])
            size = 0
        chunks[-1].append(body)
        size += len(body)
    return chunks
