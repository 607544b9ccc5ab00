"""One execution from request to end.

Plain data and rules: no kernel message is read here and no event emitted; which ones
run, and who is believed about them, is ``kernel_executions.py``'s. Times are
nanoseconds since the Unix epoch; whoever feeds an execution brings the clock.

::

    request ─▶ busy ─▶ outputs… ─▶ reply ─▶ idle      ended at the reply, once idle
                                                      (or a bounded wait) is over
    request ─▶ busy ─▶ … ─▶ idle                      nobody is left who gets a reply:
                                                      ended by what all could hear
    request ─▶ … ─▶ kernel gone                       ended there
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jupyter_otel.event import Attribution

# A class as languages write it. Anything else is text of the kernel's choosing.
_ERROR_NAME = re.compile(r"[\w.:]{1,256}")
_INTERRUPT = "KeyboardInterrupt"
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
    UNTRACKED = "untracked"


@dataclass(slots=True, eq=False, kw_only=True)
class Heard:
    """What a kernel has told all of an execution, as far as one listener has got."""

    busy_ns: int | None = None
    has_input: bool = False
    """Whether the kernel said that it runs the code."""
    execution_count: int | None = None
    raised: str | None = None
    """The class of the error that the kernel told all of, if it did."""
    idle_ns: int | None = None
    output_count: int = 0
    output_bytes: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether it was heard from its begin to its end."""
        return self.busy_ns is not None and self.idle_ns is not None

    def add_output(self, size_bytes: int) -> None:
        """Count one output message."""
        self.output_count += 1
        self.output_bytes += size_bytes

    def began(self, content: Mapping[str, Any]) -> None:
        """Take in the kernel's execute_input: it runs the code."""
        self.has_input = True
        self.execution_count = _count(content.get("execution_count"))

    def failed(self, content: Mapping[str, Any]) -> None:
        """Take in an error that the kernel told all of."""
        self.raised = _error_name(content.get("ename")) or _OTHER_ERROR

    def go_on_from(self, other: "Heard | None") -> None:
        """Go on from where another listener stands, who is ahead or behind.

        Each hears the same in the same order; None: that one has yet to hear all of it.
        Whoever joined too late for its beginning knows less of what came until now.
        """
        if self.idle_ns is not None:
            return
        if other is None:
            self.output_count = self.output_bytes = 0
            return
        if other.busy_ns is not None:
            self.output_count = other.output_count
            self.output_bytes = other.output_bytes
        self.busy_ns = self.busy_ns or other.busy_ns
        self.has_input |= other.has_input
        self.execution_count = self.execution_count or other.execution_count
        self.raised = self.raised or other.raised
        self.idle_ns = other.idle_ns


@dataclass(slots=True, eq=False)
class Execution(Heard):
    """What is known so far of one request to run code."""

    msg_id: str
    requested_ns: int
    facts: Mapping[str, Any]
    """What was known at the request, as properties of the event."""
    attribution: Attribution
    asker: object | None = None
    """The connection that gets the reply; None: nobody who tells of it."""
    feed: object | None = None
    """Who is believed about what the kernel says to all: of asker and watcher the one
    who told of it first; None: nobody yet."""
    has_namesake: bool = False
    """Whether another one has its id: what the kernel says to all may be about that."""
    request: object = None
    """The message as it went to the kernel, until the kernel shows that it has it."""
    was_seen_asked: bool = True
    """Whether the request itself was seen; else it began when the kernel said so."""
    replied_ns: int | None = None
    status: Status | None = None
    error_name: str | None = None
    watched: Heard | None = None
    """What the watcher has heard who is not its feed, but may have to go on as that."""

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

    def conclude(self, now_ns: int) -> None:
        """End it by what the kernel told all: nobody gets the reply.

        A cell that shows an error and goes on is taken for one that failed.
        """
        self.replied_ns = self.idle_ns or now_ns
        if not self.has_input:
            self.status = Status.ABORTED
        elif self.raised is None:
            self.status = Status.OK
        else:
            stopped = self.raised == _INTERRUPT
            self.status = Status.INTERRUPTED if stopped else Status.ERROR
            self.error_name = self.raised

    @property
    def is_over(self) -> bool:
        """Whether all is there that will come, in whatever order."""
        if self.idle_ns is None:
            return False
        return self.replied_ns is not None or self.asker is None

    def progress(self) -> dict[str, Any]:
        """Return what is known while it runs, as properties of a ``running`` event."""
        return {"output_count": self.output_count, "output_bytes": self.output_bytes}

    def outcome(self) -> dict[str, Any]:
        """Return what only its end tells, as properties of the ``finished`` event.

        A request that never became busy ran for no time: all of it was queueing.
        Where only the kernel told of it, nobody knows how long it queued.
        """
        ended_ns = self.replied_ns or self.requested_ns
        busy_ns = ended_ns if self.busy_ns is None else min(self.busy_ns, ended_ns)
        outcome = {
            "status": self.status,
            "error_name": self.error_name,
            "queued_ms": _milliseconds(busy_ns - self.requested_ns)
            if self.was_seen_asked
            else None,
            "duration_ms": _milliseconds(ended_ns - busy_ns),
            "output_count": self.output_count,
            "output_bytes": self.output_bytes,
            "execution_count": self.execution_count,
        }
        return {name: value for name, value in outcome.items() if value is not None}


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
    if content.get("ename") == _INTERRUPT:
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
