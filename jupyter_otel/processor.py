"""The order of the stages for one event, from what its producer claims to its records.

::

    RawEvent  validate ▸ consent ▸ sample ─▶ Event
              redact ─▶ RedactedEvent
              map ─▶ Mapped, or fold: wait for the end of a window (``aggregate``)

What comes before and after, the queue and the rows, is in ``pipeline.py``.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.consent.consent import Consent
from jupyter_otel.event import (
    UNREADABLE_TIME_NS,
    Attribution,
    Event,
    RawEvent,
    RedactedEvent,
    Source,
    new,
)
from jupyter_otel.mapping.mapper import Mapped, Mapper, SchemaMapping
from jupyter_otel.policy.folding import Fold, Folder
from jupyter_otel.policy.policy import Policy
from jupyter_otel.redaction.compiler import Redactor
from jupyter_otel.redaction.plan import RedactionPlan
from jupyter_otel.schema import Group, Schema
from jupyter_otel.snapshot import read_snapshot
from jupyter_otel.tally import DropReason

MAX_RECORD_BYTES = 2**20

# Python 3.11 looks a member of an enum up by a call: not for every event.
_INVALID = DropReason.INVALID
_MAPPING_ERROR = DropReason.MAPPING_ERROR
_REDACTION_ERROR = DropReason.REDACTION_ERROR


@dataclass(frozen=True, slots=True)
class Stages:
    """What events run through, in this order."""

    catalog: Catalog
    policy: Policy
    consent: Consent
    redactor: Redactor
    mapper: Mapper


class Held(NamedTuple):
    """An event that waits for its window to end, or was folded into one that does."""

    is_folded: bool


Outcome = Mapped | DropReason | Held


class Closed(NamedTuple):
    """A window that is over: whose it was, and the record of all its events."""

    schema: Schema
    fold: Fold
    outcome: Mapped | DropReason


def claim(
    schema: Schema, snapshot: bytes, attribution: Attribution, source: Source
) -> RawEvent:
    """Return an event as its producer claims it; a time nobody can read is now."""
    now_ns = time.time_ns()
    time_ns = attribution.time_ns
    if time_ns is None or time_ns == UNREADABLE_TIME_NS:
        time_ns = now_ns
    return new(
        RawEvent,
        (schema, snapshot, time_ns, now_ns, attribution.source or source, attribution),
    )


class _Plan(NamedTuple):
    """One schema's stages, compiled."""

    is_valid: Callable[[object], bool]
    redaction: RedactionPlan
    mapping: SchemaMapping
    group: Group
    sample: float
    folder: Folder | None


class Processor:
    """Runs single events through the stages; not thread-safe, one thread owns it.

    Args:
        stages: What events run through.
        folds: Whether overlays' ``aggregate`` counts.
        samples: Whether overlays' ``sample`` counts, where it is not 0.
    """

    def __init__(
        self, stages: Stages, *, folds: bool = True, samples: bool = True
    ) -> None:
        self._stages = stages
        self._folds = folds
        self._samples = samples
        self._allows = stages.consent.allows
        self._plans: dict[Schema, _Plan] = {}
        self._random = random.Random()  # noqa: S311 - sampling, not secrecy

    def plan(self, schema: Schema) -> _Plan:
        """Return a schema's compiled stages, compiling them at first sight."""
        plan = self._plans.get(schema)
        if plan is None:
            plan = self._plans[schema] = self._compile(schema)
        return plan

    def process(self, raw: RawEvent, *, answer: bool | None = None) -> Outcome:
        """Return an event's records, or the one reason why it has none.

        ``answer`` stands in for the person's consent, for previews.
        """
        failure = _MAPPING_ERROR
        try:
            plan = self._plans.get(raw.schema) or self.plan(raw.schema)
            # What `json` wrote on the producer's thread may nest too deep to read here.
            failure = _INVALID
            data = read_snapshot(raw.data)
            reason = self._objection(plan, raw, data, answer)
            if reason is not None:
                return reason
            failure = _REDACTION_ERROR
            redacted = plan.redaction.redact(new(Event, (raw, data)))
            failure = _MAPPING_ERROR
            if plan.folder is not None:
                return _fold(plan.folder, redacted, raw)
            mapped = plan.mapping.map(redacted)
        except RecursionError:  # data nested deeper than any stage can follow
            return _INVALID
        except Exception:  # noqa: BLE001 - fail closed; no event stops the next ones
            return failure
        return mapped if _fits(mapped) else DropReason.TOO_LARGE

    def close_folds(self, now_s: float) -> Iterator[Closed]:
        """Yield the record of each window that is over by then."""
        for schema, plan in self._plans.items():
            if plan.folder is None:
                continue
            for fold in plan.folder.take_closed(now_s):
                yield Closed(schema, fold, _map_fold(plan.mapping, fold))

    def next_fold_end_s(self) -> float | None:
        """Return when the next window is over, by the monotonic clock; None: never."""
        folders = [plan.folder for plan in self._plans.values() if plan.folder]
        ends = [folder.next_end_s() for folder in folders]
        return min((end for end in ends if end is not None), default=None)

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
        policy, overlay = self._stages.policy, schema.overlay
        redaction = self._stages.redactor.compile(
            schema,
            lambda path, node: policy.decide(schema, path, node),
            policy.decide_unclassified(overlay),
        )
        folder = None
        if overlay.aggregate is not None and self._folds:
            folder = Folder(overlay.aggregate, redaction.slots)
        return _Plan(
            self._stages.catalog.validator(schema).is_valid,
            redaction,
            self._stages.mapper.compile(schema, redaction.slots),
            overlay.group,
            overlay.sample if self._samples or overlay.sample == 0 else 1.0,
            folder,
        )


def subject_of(raw: RawEvent) -> str:
    """Return the consent subject of an event, empty where it is nobody's."""
    person = raw.attribution.person
    return "" if person is None else person.subject


def _fold(folder: Folder, redacted: RedactedEvent, raw: RawEvent) -> Held:
    return Held(folder.add(redacted, subject_of(raw), time.monotonic()))


def _map_fold(mapping: SchemaMapping, fold: Fold) -> Mapped | DropReason:
    try:
        mapped = mapping.map(fold.event, fold.count)
    except Exception:  # noqa: BLE001 - as in `Processor.process`
        return DropReason.MAPPING_ERROR
    return mapped if _fits(mapped) else DropReason.TOO_LARGE


def _fits(mapped: Mapped) -> bool:
    return len(mapped.log_record) + len(mapped.span or b"") <= MAX_RECORD_BYTES
