"""One execution from request to end, and the table of those that have no end yet.

Plain data and rules: no kernel message is read here and no event emitted. Times are
nanoseconds since the Unix epoch; whoever feeds the table brings the clock.

::

    request ─▶ busy ─▶ outputs… ─▶ reply ─▶ idle      ended at the reply, once idle
                                                      (or a bounded wait) is over
    request ─▶ … ─▶ kernel gone, client gone          ended there
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jupyter_otel.event import Attribution

# A class as languages write it. Anything else is text of the kernel's choosing.
_ERROR_NAME = re.compile(r"[\w.:]{1,256}")
_OTHER_ERROR = "_OTHER"
"""OpenTelemetry's word for an error whose type has no name to send."""
# nbformat's own rule. What breaks it is no id: VS Code sends a document's URI.
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# jupyter_client's own rule for the name of a kernel specification.
_KERNEL_NAME = re.compile(r"[A-Za-z0-9._-]{1,256}")


class Status(StrEnum):
    """How an execution ended."""

    OK = "ok"
    ERROR = "error"
    ABORTED = "aborted"
    INTERRUPTED = "interrupted"
    KERNEL_DIED = "kernel_died"
    DISCONNECTED = "disconnected"


@dataclass(slots=True, eq=False)
class Execution:
    """What is known so far of one request to run code."""

    msg_id: str
    requested_ns: int
    facts: Mapping[str, Any]
    """What was known at the request, as properties of the event."""
    attribution: Attribution
    busy_ns: int | None = None
    replied_ns: int | None = None
    status: Status | None = None
    error_name: str | None = None
    execution_count: int | None = None
    output_count: int = 0
    output_bytes: int = 0
    is_idle: bool = False
    cancel_wait: Callable[[], None] | None = None
    """Takes back the bounded wait for the idle message, where one runs."""

    def add_output(self, size_bytes: int) -> None:
        """Count one output message."""
        self.output_count += 1
        self.output_bytes += size_bytes

    def reply(self, content: Mapping[str, Any], now_ns: int) -> None:
        """Take in the kernel's execute_reply: the end, but for late outputs."""
        self.replied_ns = now_ns
        self.status = _status(content)
        self.error_name = _error_name(content.get("ename"))
        self.execution_count = _count(content.get("execution_count"))

    def give_up(self, status: Status, now_ns: int) -> None:
        """End it without a reply; one that has its reply keeps it."""
        if self.replied_ns is None:
            self.replied_ns = now_ns
            self.status = status

    @property
    def is_over(self) -> bool:
        """Whether reply and idle message are both there, in whatever order."""
        return self.is_idle and self.replied_ns is not None

    def outcome(self) -> dict[str, Any]:
        """Return what only its end tells, as properties of the ``finished`` event.

        A request that never became busy ran for no time: all of it was queueing.
        """
        ended_ns = self.replied_ns or self.requested_ns
        busy_ns = ended_ns if self.busy_ns is None else min(self.busy_ns, ended_ns)
        outcome = {
            "status": self.status,
            "error_name": self.error_name,
            "queued_ms": _milliseconds(busy_ns - self.requested_ns),
            "duration_ms": _milliseconds(ended_ns - busy_ns),
            "output_count": self.output_count,
            "output_bytes": self.output_bytes,
            "execution_count": self.execution_count,
        }
        return {name: value for name, value in outcome.items() if value is not None}


class PendingExecutions:
    """Executions without an end, by the message id of their request.

    Bounded: when it is full the oldest is handed back, to be ended unfinished.
    """

    def __init__(self, max_executions: int = 1000) -> None:
        self._max_executions = max_executions
        self._by_id: dict[str, Execution] = {}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def __contains__(self, msg_id: str) -> bool:
        return msg_id in self._by_id

    def add(self, execution: Execution) -> Execution | None:
        """Keep it; return the one that had to make room, if any."""
        oldest = None
        if len(self._by_id) >= self._max_executions:
            oldest = self._by_id.pop(next(iter(self._by_id)))
        self._by_id[execution.msg_id] = execution
        return oldest

    def get(self, msg_id: str) -> Execution | None:
        """Return the pending execution of that request."""
        return self._by_id.get(msg_id)

    def pop(self, msg_id: str) -> Execution | None:
        """Take one out, if it is there."""
        return self._by_id.pop(msg_id, None)

    def pop_all(self) -> list[Execution]:
        """Take all out, oldest first."""
        taken = list(self._by_id.values())
        self._by_id.clear()
        return taken


def cell_id(value: object) -> str | None:
    """Return a cell's id in its notebook; None where the value is none."""
    return value if isinstance(value, str) and _CELL_ID.fullmatch(value) else None


def kernel_name(value: object) -> str | None:
    """Return a kernel specification's name; None where the value is none."""
    return value if isinstance(value, str) and _KERNEL_NAME.fullmatch(value) else None


def _status(content: Mapping[str, Any]) -> Status:
    status = content.get("status")
    if status == "ok":
        return Status.OK
    # Kernels of protocol versions before 5.1 write "abort".
    if status in {"aborted", "abort"}:
        return Status.ABORTED
    if content.get("ename") == "KeyboardInterrupt":
        return Status.INTERRUPTED
    return Status.ERROR


def _error_name(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return value if _ERROR_NAME.fullmatch(value) else _OTHER_ERROR


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _milliseconds(span_ns: int) -> float:
    return round(max(span_ns, 0) / 1e6, 3)
