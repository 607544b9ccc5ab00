"""The books: what became of every record, per signal.

``accepted == sent + pending + dropped + aggregated`` holds at every moment, in
records. What was refused before acceptance stands beside it, outside the sum.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Word(StrEnum):
    """One of a closed set of words; a dict finds it as fast as it finds text."""

    # Enum's own is a Python function, called for each look-up on the hot path.
    __hash__ = str.__hash__


class Signal(Word):
    """OpenTelemetry's kinds of data, named as in OTLP's URLs."""

    LOGS = "logs"
    TRACES = "traces"
    METRICS = "metrics"


class Refusal(Word):
    """Why an event was not accepted. Refused events are outside the balance."""

    LEVEL = "level"
    EXCLUDED = "excluded"
    CONTROL_PLANE = "control_plane"
    UNKNOWN_SCHEMA = "unknown_schema"
    NOT_JSON = "not_json"
    SHUTDOWN = "shutdown"
    # Of what kernels report, whose code may be anybody's:
    TOO_LARGE = "too_large"
    FLOOD = "flood"
    MALFORMED = "malformed"
    NOT_ALLOWED = "not_allowed"
    UNATTRIBUTED = "unattributed"
    LOST = "lost"


class DropReason(Word):
    """Why an accepted record will never be sent. Each lost record has just one."""

    INVALID = "invalid"
    NO_CONSENT = "no_consent"
    REDACTION_ERROR = "redaction_error"
    MAPPING_ERROR = "mapping_error"
    TOO_LARGE = "too_large"
    OVERLOAD = "overload"
    SAMPLED = "sampled"
    SPOOL_FULL = "spool_full"
    SPOOL_ERROR = "spool_error"
    EXPIRED = "expired"
    POLICY_CHANGED = "policy_changed"
    REJECTED = "rejected"
    SHUTDOWN = "shutdown"


class Remark(Word):
    """What happened to a part of a record that itself went on."""

    UNDECLARED_PROPERTY = "undeclared_property"
    UNCLASSIFIED_PROPERTY = "unclassified_property"
    UNREADABLE_TIME = "unreadable_time"


@dataclass(frozen=True, slots=True)
class SignalTally:
    """What became of one signal's records, at one moment."""

    accepted: int = 0
    sent: int = 0
    pending: int = 0
    aggregated: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the tally as the JSON object that ``status`` prints."""
        return {
            "accepted": self.accepted,
            "sent": self.sent,
            "pending": self.pending,
            "aggregated": self.aggregated,
            "dropped": dict(self.dropped),
            "refused": dict(self.refused),
        }


@dataclass(frozen=True, slots=True)
class Tally:
    """The books of one pipeline, at one moment."""

    logs: SignalTally
    traces: SignalTally
    metrics: SignalTally
    remarks: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return ``{"signals": {...}, "remarks": {...}}``, as ``status`` prints it."""
        return {
            "signals": {
                signal.value: getattr(self, signal.value).to_json() for signal in Signal
            },
            "remarks": dict(self.remarks),
        }


class _Page:
    """One signal's counters; only `Books` touches it, under its lock."""

    __slots__ = ("accepted", "aggregated", "dropped", "refused", "sent")

    def __init__(self) -> None:
        self.accepted = 0
        self.sent = 0
        self.aggregated = 0
        self.dropped: dict[DropReason, int] = dict.fromkeys(DropReason, 0)
        self.refused: dict[Refusal, int] = dict.fromkeys(Refusal, 0)

    @property
    def pending(self) -> int:
        return self.accepted - self.sent - self.aggregated - sum(self.dropped.values())

    def tally(self) -> SignalTally:
        return SignalTally(
            accepted=self.accepted,
            sent=self.sent,
            pending=self.pending,
            aggregated=self.aggregated,
            dropped=_in_plain_text(self.dropped),
            refused=_in_plain_text(self.refused),
        )


class Books:
    """The running counters of one pipeline.

    Every method is safe in any thread, and in a signal handler that interrupts another
    one: a thread may take the lock again, and an addition is never split (one to a
    `Counter` is, at a key's first sight). Near the recursion limit, whoever could
    `accept` can `drop`: neither calls anything that goes deeper.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pages = {signal: _Page() for signal in Signal}
        self._remarks: dict[Remark, int] = dict.fromkeys(Remark, 0)

    def accept(self, signal: Signal, records: int = 1) -> None:
        """Take records in: from now on they are pending."""
        with self._lock:
            self._pages[signal].accepted += records

    def send(self, signal: Signal, records: int) -> None:
        """Book pending records as acknowledged by the receiver."""
        with self._lock:
            self._pages[signal].sent += records

    def aggregate(self, signal: Signal, records: int) -> None:
        """Book pending records as folded into another record."""
        with self._lock:
            self._pages[signal].aggregated += records

    def drop(self, signal: Signal, reason: DropReason, records: int = 1) -> None:
        """Book pending records as lost, for one reason."""
        with self._lock:
            self._pages[signal].dropped[reason] += records

    def refuse(self, signal: Signal, reason: Refusal, records: int = 1) -> None:
        """Count events that were never accepted."""
        with self._lock:
            self._pages[signal].refused[reason] += records

    def remark(self, remark: Remark, times: int = 1) -> None:
        """Count what was left out of records that went on."""
        with self._lock:
            self._remarks[remark] += times

    def pending(self, signal: Signal | None = None) -> int:
        """Return how many records, of all signals or of one, have no end yet."""
        with self._lock:
            if signal is not None:
                return self._pages[signal].pending
            return sum(page.pending for page in self._pages.values())

    def tally(self) -> Tally:
        """Return the books as they stand, all signals at the same moment."""
        with self._lock:
            pages = {signal.value: page.tally() for signal, page in self._pages.items()}
            return Tally(**pages, remarks=_in_plain_text(self._remarks))


def _in_plain_text(counts: Mapping[Any, int]) -> dict[str, int]:
    return {word.value: count for word, count in counts.items() if count}
