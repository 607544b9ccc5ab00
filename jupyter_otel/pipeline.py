"""From an event handed in to rows in the spool: the threads around the stages.

::

    caller's thread   gate ─ snapshot ─▶ queue
    worker thread     (``recorder.py``) the stages in order ▸ rows ▸ spool
    sender threads    (``delivery.py``) lease ▸ send ▸ acknowledge

Each stage is built by who composes the pipeline.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_otel.complaints import Complaints, printable
from jupyter_otel.errors import SchemaError
from jupyter_otel.event import (
    NOBODYS,
    UNREADABLE_TIME_NS,
    Attribution,
    Origin,
    RawEvent,
    Source,
    new,
)
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.policy.priority import queue_share
from jupyter_otel.processor import Processor, Stages
from jupyter_otel.recorder import Recorder
from jupyter_otel.schema import Schema
from jupyter_otel.snapshot import MAX_SNAPSHOT_BYTES, read_snapshot, take_snapshot
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Refusal, Remark, Signal
from jupyter_otel.worker import Worker

# Python 3.11 looks a member of an enum up by a call: not for every event.
_LOGS = Signal.LOGS

_NO_EVENT: RawEvent = (None, b"", 0, 0, None, None)
"""Closes every window, in the queue's order: somebody waits for all there is."""


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
        self._books = books
        self._source = source
        self._sync_timeout_s = sync_timeout_s
        self._strict = strict
        self._verdicts: dict[Schema, Refusal | None] = {}
        self._admitted: dict[Schema, Origin] = {}
        """The gate, one look-up for nearly every event; and nobody's events' origin."""
        self._is_open, self._is_inherited = True, False
        self._recorder = Recorder(
            Processor(stages, folds=sync_timeout_s is None),
            spool,
            requests,
            books,
            Complaints(),
            wake_delivery=wake_delivery,
            sends_traces=sends_traces,
            revision=revision,
        )
        self._worker: Worker[RawEvent] = Worker(
            len(_NO_EVENT),
            self._recorder.record,
            self._recorder.lose,
            share=_share,
            settle=self._recorder.settle,
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
            self._admitted[schema] = Origin(
                schema, None, self._source, NOBODYS.trust, NOBODYS.validated
            )
        return self._verdicts[schema]

    def refuse(self, reason: Refusal, events: int = 1) -> None:
        """Count events that a source did not take, for this reason."""
        if not self._is_inherited:
            self._books.refuse(_LOGS, reason, events)

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
        reason = None if schema in self._admitted else self.refusal(schema)
        if reason is not None:
            return self._refuse(reason)
        snapshot = take_snapshot(data)
        if snapshot is None:
            return self._refuse(Refusal.NOT_JSON)
        if self._strict:
            self._raise_if_invalid(schema, snapshot)
        raw = self._claim(schema, snapshot, attribution)
        if self._sync_timeout_s is not None:
            return self._put_and_wait(raw, schema, self._sync_timeout_s)
        return self._put(raw, schema)

    def finish(self, timeout_s: float) -> bool:
        """Wait until all that was accepted before is in the spool; False: too long."""
        if self._is_inherited:
            return False
        self._worker.put(_NO_EVENT, 0)
        return self._worker.finish(timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Take nothing more in; what is queued goes to the spool, or is dropped."""
        self._is_open = False
        if self._is_inherited:
            return
        self._worker.put(_NO_EVENT, 0)
        for origin, *_ in self._worker.stop(timeout_s):
            if origin is not None:
                self._recorder.drop(DropReason.SHUTDOWN, origin.schema)

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

    def _claim(
        self, schema: Schema, snapshot: bytes, attribution: Attribution
    ) -> RawEvent:
        """Return an event as its producer claims it; a time nobody can read is now."""
        now_ns = time.time_ns()
        if attribution is NOBODYS:
            return self._admitted[schema], snapshot, now_ns, now_ns, None, None
        person, span, time_ns, source, trust, validated = attribution
        source = source or self._source
        origin = new(Origin, (schema, person, source, trust, validated))
        if time_ns == UNREADABLE_TIME_NS:
            self._books.remark(Remark.UNREADABLE_TIME)
            time_ns = None
        time_ns = now_ns if time_ns is None else time_ns
        return origin, snapshot, time_ns, now_ns, span, None

    def _put(self, raw: RawEvent, schema: Schema) -> bool:
        """Accept an event and queue it; what cannot be queued is dropped at once."""
        size = len(raw[1])
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
        self._recorder.complain(reason, schema)
        return False

    def _put_and_wait(self, raw: RawEvent, schema: Schema, timeout_s: float) -> bool:
        """Put an event and wait for the disk; whoever waits shares one commit."""
        receipt: list[bool] = []
        if self._put((*raw[:-1], receipt), schema):
            self._worker.finish(timeout_s)
        return bool(receipt)


def _share(raw: RawEvent) -> float:
    """Return up to which part of the queue an event may enter it."""
    origin = raw[0]
    return 1.0 if origin is None else queue_share(origin.schema.overlay.group)
