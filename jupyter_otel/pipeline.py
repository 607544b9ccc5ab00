"""The order of the stages, from an event handed in to rows in the spool.

::

    caller's thread   gate ─ snapshot ─▶ queue
    worker thread     validate ▸ consent ▸ sample ▸ redact ▸ map ▸ spool
    sender threads    (``delivery.py``) lease ▸ send ▸ acknowledge

No other file knows it. Each stage is built by who composes the pipeline.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.complaints import Complaints
from jupyter_otel.consent.consent import Consent
from jupyter_otel.errors import SchemaError
from jupyter_otel.event import (
    NOBODYS,
    Attribution,
    Event,
    RawEvent,
    Source,
)
from jupyter_otel.mapping.mapper import Mapped, Mapper, SchemaMapping
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.policy.policy import Policy
from jupyter_otel.policy.priority import priority
from jupyter_otel.redaction.compiler import Redactor
from jupyter_otel.redaction.plan import RedactionPlan
from jupyter_otel.schema import Group, Schema
from jupyter_otel.snapshot import read_snapshot, take_snapshot
from jupyter_otel.spool.rows import Loss, NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Refusal, Remark, Signal
from jupyter_otel.worker import Turns, Worker

MAX_SNAPSHOT_BYTES = 16 * 2**20
MAX_RECORD_BYTES = 2**20
MAX_ROW_BYTES = 64 * 2**10
UNREADABLE_TIME = -1
"""In `Attribution.time_ns`: the event had a time that nobody can read."""

# Python 3.11 looks a member of an enum up by a call: not for every event.
_LOGS, _TRACES = Signal.LOGS, Signal.TRACES
_MAPPING_ERROR = DropReason.MAPPING_ERROR
_REDACTION_ERROR = DropReason.REDACTION_ERROR


@dataclass(frozen=True, slots=True)
class Stages:
    """What the pipeline runs events through, in this order."""

    catalog: Catalog
    policy: Policy
    consent: Consent
    redactor: Redactor
    mapper: Mapper


def claim(
    schema: Schema, snapshot: bytes, attribution: Attribution, source: Source
) -> RawEvent:
    """Return an event as its producer claims it; a time nobody can read is now."""
    now_ns = time.time_ns()
    time_ns = attribution.time_ns
    if time_ns is None or time_ns == UNREADABLE_TIME:
        time_ns = now_ns
    return RawEvent(
        schema, snapshot, time_ns, now_ns, attribution.source or source, attribution
    )


class _Plan(NamedTuple):
    """One schema's stages, compiled."""

    is_valid: Callable[[object], bool]
    redaction: RedactionPlan
    mapping: SchemaMapping
    group: Group
    sample: float


_RowKey: TypeAlias = tuple[Signal, Source, str, Group]
"""What the records of one row share: signal, source, subject, group."""


class Processor:
    """Runs single events through the stages; not thread-safe, one thread owns it."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._allows = stages.consent.allows
        self._plans: dict[Schema, _Plan] = {}
        self._random = random.Random()  # noqa: S311 - sampling, not secrecy

    def plan(self, schema: Schema) -> _Plan:
        """Return a schema's compiled stages, compiling them at first sight."""
        plan = self._plans.get(schema)
        if plan is None:
            plan = self._plans[schema] = self._compile(schema)
        return plan

    def process(
        self, raw: RawEvent, *, answer: bool | None = None
    ) -> Mapped | DropReason:
        """Return an event's records, or the one reason why it has none.

        ``answer`` stands in for the person's consent, for previews.
        """
        failure = _MAPPING_ERROR
        try:
            plan = self._plans.get(raw.schema) or self.plan(raw.schema)
            data = read_snapshot(raw.data)
            reason = self._objection(plan, raw, data, answer)
            if reason is not None:
                return reason
            failure = _REDACTION_ERROR
            redacted = plan.redaction.redact(Event(raw, data))
            failure = _MAPPING_ERROR
            mapped = plan.mapping.map(redacted)
        except Exception:  # noqa: BLE001 - fail closed; no event stops the next ones
            return failure
        if len(mapped.log_record) + len(mapped.span or b"") > MAX_RECORD_BYTES:
            return DropReason.TOO_LARGE
        return mapped

    def _objection(
        self, plan: _Plan, raw: RawEvent, data: Any, answer: bool | None
    ) -> DropReason | None:
        """Return why an event may not go on, None if it may."""
        attribution = raw.attribution
        if not attribution.validated and not plan.is_valid(data):
            return DropReason.INVALID
        if not self._allows(attribution.person, plan.group, answer):
            return DropReason.NO_CONSENT
        if plan.sample < 1 and self._random.random() >= plan.sample:
            return DropReason.SAMPLED
        return None

    def _compile(self, schema: Schema) -> _Plan:
        policy = self._stages.policy
        redaction = self._stages.redactor.compile(
            schema,
            lambda path, node: policy.decide(schema, path, node),
            policy.decide_unclassified(schema.overlay),
        )
        return _Plan(
            self._stages.catalog.validator(schema).is_valid,
            redaction,
            self._stages.mapper.compile(schema, redaction.slots),
            schema.overlay.group,
            schema.overlay.sample,
        )


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
        self._awaited: dict[int, bool] = {}
        """Events that a producer waits for, by identity → whether they are stored."""
        self._processor = Processor(stages)
        self._unstored: defaultdict[_RowKey, list[bytes]] = defaultdict(list)
        self._worker: Worker[RawEvent] = Worker(
            self._work, self._lose_batch, settle=self._settle
        )

    def start(self) -> None:
        """Start the worker's thread."""
        self._worker.start()

    def find(self, schema_id: str) -> Schema | None:
        """Return the schema of that id that an application would mean, if any."""
        return self._stages.catalog.find(schema_id)

    def adopt(self, body: Mapping[str, Any], origin: str) -> Schema:
        """Return the catalog's schema for a body that another registry holds."""
        return self._stages.catalog.adopt(body, origin)

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
        if schema not in self._admitted and self.refusal(schema) is not None:
            return self._refuse(self.refusal(schema) or Refusal.LEVEL)
        snapshot = take_snapshot(data)
        if snapshot is None:
            return self._refuse(Refusal.NOT_JSON)
        if self._strict:
            self._raise_if_invalid(schema, snapshot)
        if attribution.time_ns == UNREADABLE_TIME:
            self._books.remark(Remark.UNREADABLE_TIME)
        self._books.accept(_LOGS)
        raw = claim(schema, snapshot, attribution, self._source)
        if self._sync_timeout_s is not None:
            return self._put_and_wait(raw, self._sync_timeout_s)
        return self._put(raw)

    def finish(self, timeout_s: float) -> bool:
        """Wait until all that was accepted before is in the spool; False: too long."""
        return self._worker.finish(timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Take nothing more in; what is queued goes to the spool, or is dropped."""
        for raw in self._worker.stop(timeout_s):
            self._drop(DropReason.SHUTDOWN, raw)

    def _raise_if_invalid(self, schema: Schema, snapshot: bytes) -> None:
        validator = self._stages.catalog.validator(schema)
        data = read_snapshot(snapshot)
        if not validator.is_valid(data):
            where = validator.explain(data)
            raise SchemaError(f"The event does not fit {schema.id}: {where}.")

    def _refuse(self, reason: Refusal) -> bool:
        self._books.refuse(_LOGS, reason)
        return False

    def _put(self, raw: RawEvent) -> bool:
        size = len(raw.data)
        if size <= MAX_SNAPSHOT_BYTES and self._worker.put(raw, size):
            return True
        too_large = size > MAX_SNAPSHOT_BYTES
        self._drop(DropReason.TOO_LARGE if too_large else DropReason.OVERLOAD, raw)
        return False

    def _put_and_wait(self, raw: RawEvent, timeout_s: float) -> bool:
        """Put an event and wait for the disk; whoever waits shares one commit."""
        self._awaited[id(raw)] = False
        if self._put(raw):
            self._worker.finish(timeout_s)
        return self._awaited.pop(id(raw))

    def _work(self, batch: Sequence[RawEvent]) -> None:
        """Process a batch into rows and store them in one transaction."""
        records = self._unstored = defaultdict(list)
        sorted_in = []
        turns = Turns()
        for raw in batch:
            if self._sort(raw, records) and self._awaited:
                sorted_in.append(raw)
            turns.give()
        is_stored = self._store(records)
        records.clear()
        if is_stored:
            for raw in sorted_in:
                self._awaited[id(raw)] = True

    def _sort(self, raw: RawEvent, records: dict[_RowKey, list[bytes]]) -> bool:
        """Put an event's records with those they share a row with; False: dropped."""
        outcome = self._processor.process(raw)
        if isinstance(outcome, DropReason):
            self._drop(outcome, raw)
            return False
        person, group = raw.attribution.person, raw.schema.overlay.group
        subject = "" if person is None else person.subject
        log_record, span, unsampled = outcome
        records[_LOGS, raw.source, subject, group].append(log_record)
        if self._sends_traces and span is not None:
            self._books.accept(_TRACES)
            records[_TRACES, raw.source, subject, group].append(span)
        elif self._sends_traces and unsampled:
            self._books.accept(_TRACES)
            self._books.drop(_TRACES, DropReason.SAMPLED)
        return True

    def _store(self, records: Mapping[_RowKey, list[bytes]]) -> bool:
        """Append the rows; return whether all of them are stored."""
        rows = [
            self._row(key, chunk)
            for key, bodies in records.items()
            for chunk in _chunks(bodies)
        ]
        if not rows:
            return True
        losses = self._spool.append(rows)
        self._book(losses)
        for signal in {row.signal for row in rows}:
            self._wake_delivery(signal)
        return not losses

    def _settle(self) -> None:
        """Have rows that no receiver took at once written to the disk."""
        self._book(self._spool.settle())

    def _book(self, losses: Sequence[Loss]) -> None:
        for signal, reason, lost in losses:
            self._books.drop(signal, reason, lost)
            self._complaints.say(reason, f"Records were lost: {reason}.")

    def _row(self, key: _RowKey, bodies: list[bytes]) -> NewRow:
        signal, source, subject, group = key
        return NewRow(
            signal=signal,
            subject=subject,
            group=group,
            priority=priority(group),
            records=len(bodies),
            revision=self._revision,
            body=self._requests.write(source, bodies),
        )

    def _lose_batch(self, _batch: Sequence[RawEvent], error: Exception) -> None:
        """Count what was ready for the spool when something unforeseen happened."""
        for (signal, *_), bodies in self._unstored.items():
            self._books.drop(signal, DropReason.SPOOL_ERROR, len(bodies))
        self._complaints.say(
            "worker", f"A batch of records was lost to {type(error).__name__}."
        )

    def _drop(self, reason: DropReason, raw: RawEvent) -> None:
        self._books.drop(_LOGS, reason)
        if reason not in (DropReason.NO_CONSENT, DropReason.SAMPLED):
            name = raw.schema.id
            text = f"Events of {name} are dropped: {reason}."
            self._complaints.say(f"{reason} {name}", text)


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
