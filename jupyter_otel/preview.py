"""What the pipeline would do with an event, without doing it."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from jupyter_otel.event import UNREADABLE_TIME_NS, Origin, Person, Source, Trust
from jupyter_otel.mapping.mapper import Mapped
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.processor import Outcome, Processor, Stages
from jupyter_otel.redaction.plan import explain
from jupyter_otel.schema import Schema
from jupyter_otel.snapshot import MAX_SNAPSHOT_BYTES, read_snapshot, take_snapshot
from jupyter_otel.tally import DropReason, Refusal, Signal

_SOMEBODY = Person(subject="preview", user_name=None)


class Asked(NamedTuple):
    """How an event is to be previewed."""

    consents: bool = True
    """Whether the person behind it said yes."""
    explains: bool = False
    """Whether to say, property by property, what is done and by which rule."""
    time_ns: int | None = None


class Previewer:
    """Runs events through stages of its own, and shows the records as OTLP/JSON.

    Args:
        stages: What events run through.
        requests: Wraps records, as the pipeline's does.
        source: Of the events.
        is_inert: Whether nothing at all is collected: at level none, for instance.
        sends_traces: Whether spans are wanted.
    """

    def __init__(
        self,
        stages: Stages,
        requests: RequestWriter,
        source: Source,
        *,
        is_inert: bool = False,
        sends_traces: bool = True,
    ) -> None:
        self._stages = stages
        self._requests = requests
        self._source = source
        self._is_inert = is_inert
        self._sends_traces = sends_traces
        self._processor = Processor(stages, folds=False, samples=False)

    def preview(
        self, schema: Schema | None, data: Mapping[str, Any], asked: Asked
    ) -> dict[str, Any]:
        """Return what would leave of an event, or why nothing would.

        ``{"exported": True, "log_record": {…}, "span": {…}?}`` or
        ``{"exported": False, "reason": …, "error": …?}``; with ``explains`` also
        ``"properties"``, and ``"sampled"``, a share, where only so many of such events
        are exported.
        """
        refusal = self._refusal(schema)
        if schema is None or refusal is not None:
            return _refused(refusal or Refusal.UNKNOWN_SCHEMA)
        snapshot = take_snapshot(data)
        if snapshot is None:
            return _refused(Refusal.NOT_JSON)
        if len(snapshot) > MAX_SNAPSHOT_BYTES:
            return _refused(DropReason.TOO_LARGE)
        outcome = self._process(schema, snapshot, asked)
        shown = self._show(outcome)
        if outcome is DropReason.INVALID:
            shown["error"] = self._error(schema, snapshot)
        if shown["exported"] and schema.overlay.sample < 1:
            shown["sampled"] = schema.overlay.sample
        if asked.explains:
            shown["properties"] = explain(self._processor.plan(schema).redaction)
        return shown

    def _refusal(self, schema: Schema | None) -> Refusal | None:
        if self._is_inert:
            return Refusal.LEVEL
        return None if schema is None else self._stages.policy.refusal(schema)

    def _process(self, schema: Schema, snapshot: bytes, asked: Asked) -> Outcome:
        origin = Origin(schema, _SOMEBODY, self._source, Trust.SERVER, validated=False)
        lane = self._processor.lane(origin, answer=asked.consents)
        if isinstance(lane, DropReason):
            return lane
        now_ns, time_ns = time.time_ns(), asked.time_ns
        if time_ns is None or time_ns == UNREADABLE_TIME_NS:
            time_ns = now_ns
        return lane.process((origin, snapshot, time_ns, now_ns, None, None))

    def _error(self, schema: Schema, snapshot: bytes) -> str:
        """Return where data breaks its schema, and by which keyword; no value."""
        validator = self._stages.catalog.validator(schema)
        return validator.explain(read_snapshot(snapshot))

    def _show(self, outcome: Outcome) -> dict[str, Any]:
        if isinstance(outcome, DropReason):
            return _refused(outcome)
        if not isinstance(outcome, Mapped):
            raise TypeError("A previewer's processor folds nothing.")
        shown = {
            "exported": True,
            "log_record": self._as_json(Signal.LOGS, outcome.log_record),
        }
        if outcome.span is not None and self._sends_traces:
            shown["span"] = self._as_json(Signal.TRACES, outcome.span)
        return shown

    def _as_json(self, signal: Signal, record: bytes) -> Any:
        """Read a record the way a receiver would: from a whole request."""
        # The protocol's messages are only for shows: a server starts without.
        from jupyter_otel.export.otlp_json import to_dict  # noqa: PLC0415

        request = to_dict(signal, self._requests.write(self._source, [record]))
        for key in _WAY_DOWN[signal]:
            request = request[key][0]
        return request


_WAY_DOWN = {
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
}


def _refused(reason: Refusal | DropReason) -> dict[str, Any]:
    return {"exported": False, "reason": reason.value}
