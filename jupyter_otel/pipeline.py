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
from typing import Any, NamedTuple

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.catalog.validation import Validator
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
from jupyter_otel.schema import Schema
from jupyter_otel.snapshot import read_snapshot, take_snapshot
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Refusal, Remark, Signal
from jupyter_otel.worker import Worker, yield_to_others

MAX_SNAPSHOT_BYTES = 16 * 2**20
MAX_RECORD_BYTES = 2**20
MAX_ROW_BYTES = 64 * 2**10
EVENTS_BETWEEN_YIELDS = 32
UNREADABLE_TIME = -1
"""In `Attribution.time_ns`: the event had a time that nobody can read."""


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

    validator: Validator
    redaction: RedactionPlan
    mapping: SchemaMapping
    priority: int


class _RowKey(NamedTuple):
    """What the records of one row share."""

    signal: Signal
    source: Source
    subject: str
    group: str
    priority: int


class Processor:
    """Runs single events through the stages; not thread-safe, one thread owns it."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
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
        try:
            return self._process(raw, answer)
        except Exception:  # noqa: BLE001 - no event may stop the ones behind it
            return DropReason.MAPPING_ERROR

    def _process(self, raw: RawEvent, answer: bool | None) -> Mapped | DropReason:
        plan = self.plan(raw.schema)
        overlay, attribution = raw.schema.overlay, raw.attribution
        data = read_snapshot(raw.data)
        if not attribution.validated and not plan.validator.is_valid(data):
            return DropReason.INVALID
        if not self._stages.consent.allows(
            attribution.person, overlay.group, answer=answer
        ):
            return DropReason.NO_CONSENT
        if overlay.sample < 1 and self._random.random() >= overlay.sample:
            return DropReason.SAMPLED
        try:
            redacted = plan.redaction.redact(Event(raw, data))
        except Exception:  # noqa: BLE001 - fail closed, whatever went wrong
            return DropReason.REDACTION_ERROR
        mapped = plan.mapping.map(redacted)
        return _too_large(mapped) or mapped

    def _compile(self, schema: Schema) -> _Plan:
        policy = self._stages.policy
        redaction = self._stages.redactor.compile(
            schema,
            lambda path, node: policy.decide(schema, path, node),
            policy.decide_unclassified(schema.overlay),
        )
        return _Plan(
            self._stages.catalog.validator(schema),
            redaction,
            self._stages.mapper.compile(schema, redaction.slots),
            priority(schema.overlay.group),
        )


class _Receipt:
    """Tells a waiting producer whether its event is on disk."""

    __slots__ = ("is_stored",)

    def __init__(self) -> None:
        self.is_stored = False


_Item = tuple[RawEvent, _Receipt | None]


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
        self._processor = Processor(stages)
        self._unstored: defaultdict[_RowKey, list[bytes]] = defaultdict(list)
        self._worker: Worker[_Item] = Worker(self._work, self._lose_batch)

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
        return self._verdicts[schema]

    def refuse_unknown(self) -> None:
        """Count an event whose schema nobody registered."""
        self._books.refuse(Signal.LOGS, Refusal.UNKNOWN_SCHEMA)

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
        refusal = self.refusal(schema)
        snapshot = None if refusal else take_snapshot(data)
        if snapshot is None:
            self._books.refuse(Signal.LOGS, refusal or Refusal.NOT_JSON)
            return False
        if self._strict:
            self._raise_if_invalid(schema, snapshot)
        self._books.accept(Signal.LOGS)
        if len(snapshot) > MAX_SNAPSHOT_BYTES:
            self._drop(DropReason.TOO_LARGE, schema)
            return False
        raw = claim(schema, snapshot, attribution, self._source)
        if attribution.time_ns == UNREADABLE_TIME:
            self._books.remark(Remark.UNREADABLE_TIME)
        if self._sync_timeout_s is not None:
            return self._put_and_wait(raw, self._sync_timeout_s)
        return self._put((raw, None))

    def finish(self, timeout_s: float) -> bool:
        """Wait until all that was accepted before is in the spool; False: too long."""
        return self._worker.finish(timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Take nothing more in; what is queued goes to the spool, or is dropped."""
        for raw, _ in self._worker.stop(timeout_s):
            self._drop(DropReason.SHUTDOWN, raw.schema)

    def _raise_if_invalid(self, schema: Schema, snapshot: bytes) -> None:
        validator = self._stages.catalog.validator(schema)
        data = read_snapshot(snapshot)
        if not validator.is_valid(data):
            where = validator.explain(data)
            raise SchemaError(f"The event does not fit {schema.id}: {where}.")

    def _put(self, item: _Item) -> bool:
        if self._worker.put(item, len(item[0].data)):
            return True
        self._drop(DropReason.OVERLOAD, item[0].schema)
        return False

    def _put_and_wait(self, raw: RawEvent, timeout_s: float) -> bool:
        receipt = _Receipt()
        if not self._put((raw, receipt)):
            return False
        self._worker.finish(timeout_s)
        return receipt.is_stored

    def _work(self, batch: Sequence[_Item]) -> None:
        """Process a batch into rows and store them in one transaction."""
        records = self._unstored = defaultdict(list)
        stored: list[_Receipt] = []
        for number, (raw, receipt) in enumerate(batch, start=1):
            if self._sort(raw, records) and receipt is not None:
                stored.append(receipt)
            if number % EVENTS_BETWEEN_YIELDS == 0:
                yield_to_others()
        if self._store(records):
            for receipt in stored:
                receipt.is_stored = True

    def _sort(self, raw: RawEvent, records: dict[_RowKey, list[bytes]]) -> bool:
        """Put an event's records with those they share a row with; False: dropped."""
        outcome = self._processor.process(raw)
        if isinstance(outcome, DropReason):
            self._drop(outcome, raw.schema)
            return False
        key = self._row_key(raw)
        records[key].append(outcome.log_record)
        if not self._sends_traces:
            return True
        if outcome.unsampled:
            self._books.accept(Signal.TRACES)
            self._books.drop(Signal.TRACES, DropReason.SAMPLED)
        if outcome.span is not None:
            self._books.accept(Signal.TRACES)
            records[key._replace(signal=Signal.TRACES)].append(outcome.span)
        return True

    def _row_key(self, raw: RawEvent) -> _RowKey:
        person = raw.attribution.person
        return _RowKey(
            Signal.LOGS,
            raw.source,
            "" if person is None else person.subject,
            raw.schema.overlay.group,
            self._processor.plan(raw.schema).priority,
        )

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
        for signal, reason, lost in losses:
            self._books.drop(signal, reason, lost)
            self._complaints.say(reason, f"Records were lost: {reason}.")
        for signal in {row.signal for row in rows}:
            self._wake_delivery(signal)
        return not losses

    def _row(self, key: _RowKey, bodies: list[bytes]) -> NewRow:
        return NewRow(
            signal=key.signal,
            subject=key.subject,
            group=key.group,
            priority=key.priority,
            records=len(bodies),
            revision=self._revision,
            body=self._requests.write(key.source, bodies),
        )

    def _lose_batch(self, _batch: Sequence[_Item], error: Exception) -> None:
        """Count what was ready for the spool when something unforeseen happened."""
        for key, bodies in self._unstored.items():
            self._books.drop(key.signal, DropReason.SPOOL_ERROR, len(bodies))
        self._complaints.say(
            "worker", f"A batch of records was lost to {type(error).__name__}."
        )

    def _drop(self, reason: DropReason, schema: Schema) -> None:
        self._books.drop(Signal.LOGS, reason)
        if reason not in (DropReason.NO_CONSENT, DropReason.SAMPLED):
            self._complaints.say(
                f"{reason} {schema.id}", f"Events of {schema.id} are dropped: {reason}."
            )


def _too_large(mapped: Mapped) -> DropReason | None:
    largest = max(len(mapped.log_record), len(mapped.span or b""))
    return DropReason.TOO_LARGE if largest > MAX_RECORD_BYTES else None


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
