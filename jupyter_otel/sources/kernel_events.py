"""Events that kernels report, read from the messages that carry them.

Whatever a kernel sends may be forged by the code that runs in it. So nothing is parsed
before its size and the kernel's rate are looked at, only schemas named here are taken,
and neither whose an event is nor which span it belongs to comes from the message: the
server's own table of executions says it. What is not taken is counted for one reason,
and so is what the numbers of the messages show to be lost.

::

    {"channel": hex, "sequence": n, "lost": m,
     "events": [{"schema_id", "data", "time_ns", "msg_id", "traceparent"?}]}
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from jupyter_otel.complaints import Complaints
from jupyter_otel.event import Attribution, Intake, Source, Trust
from jupyter_otel.sources.allowance import Allowance
from jupyter_otel.sources.faults import HookFaults
from jupyter_otel.tally import Refusal

DATASET_ACCESS = "https://events.jupyter.org/jupyter_otel/dataset_access/v1"
KERNEL_SCHEMAS = frozenset({DATASET_ACCESS})
"""What a kernel may report. No more: of anything else a server, a Hub or a browser is
the witness, and whoever reads the records would take a kernel's word for theirs."""

# Our part of a kernel sends at most 100 events and little more than 64 KiB a message.
MAX_MESSAGE_BYTES = 256 * 1024
MAX_MESSAGE_EVENTS = 100
# A cell reports at most 1000 events; several kernels share the pipeline with people.
BURST_EVENTS = 5_000
EVENTS_PER_S = 500
_PARSING_COST = 5
"""In events: what a message costs beside those in it."""
_MAX_KERNELS = 500
_MAX_CHANNELS = 16
_MAX_LOST = 100_000
"""As many one message may say, or show, to be lost."""
_MAX_CLOCK_ERROR_NS = 3_600_000_000_000

AttributionOf = Callable[[str, str], Attribution | None]
"""By kernel id and message id: whose an execution is, and its span."""


class _Message(NamedTuple):
    channel: str
    sequence: int
    lost: int
    events: list[Any]


@dataclass(slots=True)
class _Kernel:
    """What is kept of one kernel."""

    allowance: Allowance
    """How many events it may still report at once."""
    next_sequences: dict[str, int] = field(default_factory=dict)
    """Of each of its channels: one a process, the kernel's and its children's."""
    is_known_from_its_start: bool = True
    """Else a channel that is new here may only have been forgotten."""


class KernelEvents:
    """Hands in what kernels report, as far as it can be taken.

    Args:
        intake: Where the events go in, and refused ones are counted.
        attribution_of: Whose an execution is, by the server's own knowledge.
        now_s: A monotonic clock.
        now_ns: The time since the Unix epoch.
    """

    def __init__(
        self,
        intake: Intake,
        attribution_of: AttributionOf,
        now_s: Callable[[], float] = time.monotonic,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._intake = intake
        self._attribution_of = attribution_of
        self._now_s, self._now_ns = now_s, now_ns
        self._kernels: dict[str, _Kernel] = {}
        """The one that was heard last comes last."""
        self._has_forgotten = False
        self._complaints = Complaints(now_s)
        self._faults = HookFaults("the reader of kernels' events")

    def take(self, kernel_id: str, content: bytes) -> None:
        """Take in the content of one message; the same one again changes nothing."""
        # The edge of a hook: clients would miss the kernel's messages.
        try:
            if len(content) > MAX_MESSAGE_BYTES:
                self._refuse(Refusal.TOO_LARGE)
                return
            kernel = self._kernel(kernel_id)
            if kernel.allowance.left <= 0:
                self._refuse(Refusal.FLOOD)
                return
            self._read(kernel_id, kernel, content)
        except Exception as error:  # noqa: BLE001
            self._faults.note(error)

    def _kernel(self, kernel_id: str) -> _Kernel:
        """Return what is kept of a kernel."""
        kernel = self._kernels.pop(kernel_id, None)
        if kernel is None:
            kernel = _Kernel(Allowance(EVENTS_PER_S, BURST_EVENTS, self._now_s))
            kernel.is_known_from_its_start = not self._has_forgotten
        self._kernels[kernel_id] = kernel  # behind those that were heard before
        if len(self._kernels) > _MAX_KERNELS:
            del self._kernels[next(iter(self._kernels))]
            self._has_forgotten = True
        return kernel

    def _read(self, kernel_id: str, kernel: _Kernel, content: bytes) -> None:
        kernel.allowance.charge(_PARSING_COST)
        message = _message(content)
        if message is None:
            self._refuse(Refusal.MALFORMED)
            return
        missed = _missed(kernel, message)
        if missed is None:
            return
        kernel.allowance.charge(len(message.events))
        if missed or message.lost:
            self._refuse(Refusal.LOST, min(missed, _MAX_LOST) + message.lost)
        for event in message.events:
            reason = self._take_event(kernel_id, event)
            if reason is not None:
                self._refuse(reason)

    def _take_event(self, kernel_id: str, event: Any) -> Refusal | None:
        """Hand in one event; return why not, if it is not."""
        if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
            return Refusal.MALFORMED
        schema_id, msg_id = event.get("schema_id"), event.get("msg_id")
        if not isinstance(schema_id, str) or not isinstance(msg_id, str):
            return Refusal.MALFORMED
        if schema_id not in KERNEL_SCHEMAS:
            return Refusal.NOT_ALLOWED
        schema = self._intake.find(schema_id)
        if schema is None:
            return Refusal.UNKNOWN_SCHEMA
        known = self._attribution_of(kernel_id, msg_id)
        if known is None:
            return Refusal.UNATTRIBUTED
        attribution = Attribution(
            person=known.person,
            span=known.span,
            time_ns=self._time_ns(event.get("time_ns")),
            source=Source.KERNEL,
            trust=Trust.CLIENT,
        )
        # The one it was read from, whatever the message says.
        data = {**event["data"], "kernel_id": kernel_id}
        self._intake.emit(schema, data, attribution)
        return None

    def _time_ns(self, stated: object) -> int | None:
        """Return the kernel's time, unless it is none or far from ours."""
        if type(stated) is not int:
            return None
        is_near = abs(stated - self._now_ns()) <= _MAX_CLOCK_ERROR_NS
        return stated if is_near else None

    def _refuse(self, reason: Refusal, events: int = 1) -> None:
        self._intake.refuse(reason, events)
        self._complaints.say(reason, f"jupyter_otel: events of a kernel: {reason}.")


def _missed(kernel: _Kernel, message: _Message) -> int | None:
    """Return how many messages of a channel are missing before this one.

    None: it came before, over another connection to the same kernel. A channel begins
    at 0, so one that is new here with a later number has lost what was before, unless
    it may have been forgotten.
    """
    first = 0 if kernel.is_known_from_its_start else message.sequence
    expected = kernel.next_sequences.pop(message.channel, first)
    if len(kernel.next_sequences) >= _MAX_CHANNELS:
        del kernel.next_sequences[next(iter(kernel.next_sequences))]
        kernel.is_known_from_its_start = False
    kernel.next_sequences[message.channel] = max(expected, message.sequence + 1)
    return None if message.sequence < expected else message.sequence - expected


def _message(content: bytes) -> _Message | None:
    """Return what a message holds, None where it is none of ours."""
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(whole, dict):
        return None
    channel, events = whole.get("channel"), whole.get("events")
    sequence, lost = _count(whole.get("sequence")), _count(whole.get("lost"))
    if not isinstance(channel, str) or not isinstance(events, list):
        return None
    if sequence is None or lost is None or len(events) > MAX_MESSAGE_EVENTS:
        return None
    return _Message(channel[:64], sequence, min(lost, _MAX_LOST), events)


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
