"""The order of the stages for one event, from what its producer claims to its records.

::

    RawEvent  validate ▸ consent ▸ sample ▸ redact ─▶ RedactedEvent
              map ─▶ Mapped, or fold: wait for the end of a window (``aggregate``)

What comes before is in ``pipeline.py``, what comes after in ``recorder.py``.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.consent.consent import Consent
from jupyter_otel.event import Origin, RawEvent
from jupyter_otel.mapping.mapper import Mapped, Mapper, SchemaMapping
from jupyter_otel.policy.folding import Fold, Folder
from jupyter_otel.policy.policy import Policy
from jupyter_otel.redaction.compiler import Redactor
from jupyter_otel.redaction.plan import RedactionPlan
from jupyter_otel.schema import Schema
from jupyter_otel.snapshot import read_snapshot
from jupyter_otel.tally import DropReason

MAX_RECORD_BYTES = 2**20
_NEVER_NS = 2**64
"""After whatever a clock can say."""

# Python 3.11 looks a member of an enum up by a call: not for every event.
_INVALID = DropReason.INVALID
_MAPPING_ERROR = DropReason.MAPPING_ERROR
_NO_CONSENT = DropReason.NO_CONSENT
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


class _Plan(NamedTuple):
    """One schema's stages, compiled."""

    is_valid: Callable[[object], bool]
    redaction: RedactionPlan
    mapping: SchemaMapping
    sample: float
    folder: Folder | None


class Lane:
    """The way of the events of one origin through the stages.

    Args:
        origin: Theirs.
        plan: Of their schema.
        draw: Draws a number below 1, for the sample.
        subject: The key of the person, empty where there is none.
        allowed_since_ns: From when on the person consents; None: they do not.
    """

    def __init__(
        self,
        origin: Origin,
        plan: _Plan,
        draw: Callable[[], float],
        *,
        subject: str,
        allowed_since_ns: int | None,
    ) -> None:
        # Everything is looked up here, not once more for every event.
        self._is_valid = None if origin.validated else plan.is_valid
        self._allowed_since_ns = (
            _NEVER_NS if allowed_since_ns is None else allowed_since_ns
        )
        self._sample = None if plan.sample >= 1 else plan.sample
        self._draw = draw
        self._redact = plan.redaction.redact
        self._provenance = plan.redaction.provenance(origin)
        self._folder = plan.folder
        self._map = plan.mapping.map
        self.subject = subject
        """The key of whose events these are, empty where they are nobody's."""

    def process(self, raw: RawEvent) -> Outcome:
        """Return an event's records, or the one reason why it has none."""
        # What `json` wrote on the producer's thread may nest too deep to read here.
        failure = _INVALID
        try:
            data = read_snapshot(raw[1])
            objection = self._objection(data, raw[3])
            if objection is not None:
                return objection
            failure = _REDACTION_ERROR
            redacted = self._redact(raw, data, self._provenance)
            failure = _MAPPING_ERROR
            if self._folder is not None:
                now_s = time.monotonic()
                return Held(self._folder.add(redacted, self.subject, now_s))
            mapped = self._map(redacted)
        except RecursionError:  # data nested deeper than any stage can follow
            return _INVALID
        except Exception:  # noqa: BLE001 - fail closed; no event stops the next ones
            return failure
        return mapped if _fits(mapped) else DropReason.TOO_LARGE

    def _objection(self, data: object, observed_ns: int) -> DropReason | None:
        """Return why an event may not go on, None if it may."""
        if self._is_valid is not None and not self._is_valid(data):
            return _INVALID
        if observed_ns < self._allowed_since_ns:
            return _NO_CONSENT
        if self._sample is not None and self._draw() >= self._sample:
            return DropReason.SAMPLED
        return None


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
        self._plans: dict[Schema, _Plan] = {}
        self._random = random.Random()  # noqa: S311 - sampling, not secrecy

    def plan(self, schema: Schema) -> _Plan:
        """Return a schema's compiled stages, compiling them at first sight."""
        plan = self._plans.get(schema)
        if plan is None:
            plan = self._plans[schema] = self._compile(schema)
        return plan

    def lane(self, origin: Origin, *, answer: bool | None = None) -> Lane | DropReason:
        """Return the way of the events of one origin, as consent stands now.

        Where there is none for any of them it is the reason instead. ``answer`` stands
        in for the person's consent, for previews.
        """
        group = origin.schema.overlay.group
        consent = self._stages.consent
        try:
            subject = consent.key(origin.person)
            return Lane(
                origin,
                self.plan(origin.schema),
                self._random.random,
                subject=subject,
                allowed_since_ns=consent.allowed_since(subject, group, answer),
            )
        except Exception:  # noqa: BLE001 - fail closed, as for a single event
            return _MAPPING_ERROR

    def refresh(self) -> None:
        """Learn what people have said to another process."""
        self._stages.consent.answers.refresh()

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
            overlay.sample if self._samples or overlay.sample == 0 else 1.0,
            folder,
        )


def _map_fold(mapping: SchemaMapping, fold: Fold) -> Mapped | DropReason:
    try:
        mapped = mapping.map(fold.event, fold.count)
    except Exception:  # noqa: BLE001 - as in `Lane.process`
        return DropReason.MAPPING_ERROR
    return mapped if _fits(mapped) else DropReason.TOO_LARGE


def _fits(mapped: Mapped) -> bool:
    log_record, span, _ = mapped
    return len(log_record) + len(span or b"") <= MAX_RECORD_BYTES
