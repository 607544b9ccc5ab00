"""The executions of one kernel that have no end yet, and what ends them.

All who see messages of a kernel share one table of it: an execution is begun and
ended there once, whoever asked for it and however many hear of it.

::

    connections ──begin, reply, leave──▶ ┌──────────────────┐ ──▶ ExecutionReports
    one of them, or the watcher ──hear─▶ │ KernelExecutions │
    the kernel has gone ───────give_up─▶ └──────────────────┘

What a kernel says to all is heard by the watcher of its iopub socket and by every
connection, what it replies by the connection that asked. Each execution has one feed,
who alone is believed about what is said to all: its asker or the watcher, whichever
told of it first. Where the asker leaves, or lags in a flood, the watcher goes on with
what it has heard itself. A reply is its asker's alone to tell.

::

    asker          is ended by
    a connection   reply and idle, of which the second is waited for a second long; its
                   reply alone, if another connection asked with its id
    it has left    idle, of which the watcher tells; disconnected, if there is none
    nobody         idle: it was found by the watcher

    any            kernel_died: the kernel has gone
                   untracked: too many are pending; it was not sent; the same connection
                   asks with its id; nobody's, and the next one of its shell runs

A watcher need not hurry while connections are there to tell of all that is pending.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol
from weakref import WeakValueDictionary

from jupyter_otel.sources.deadlines import Deadlines
from jupyter_otel.sources.execution_reports import ExecutionReports
from jupyter_otel.sources.executions import Execution, Heard, Status
from jupyter_otel.sources.kernel_frames import KernelMessage

_WAIT_S = 1.0
"""How long one of reply and idle message is waited for once the other is there."""
_MAX_EXECUTIONS = 2000
_MAX_CROWDED_OUT = 100_000
_OUTPUTS = frozenset(
    {"stream", "display_data", "execute_result", "update_display_data", "error"}
)
_STOPPED = frozenset({Status.INTERRUPTED, Status.ABORTED})


class Watcher(Protocol):
    """Who watches a kernel's iopub socket."""

    def catch_up(self) -> None:
        """Hear now what was said until now."""


class KernelExecutions:
    """What runs in one kernel. Bounded: the oldest makes room, ended unfinished."""

    def __init__(
        self, kernel_id: str, reports: ExecutionReports, is_stopping: Callable[[], bool]
    ) -> None:
        self.kernel_id = kernel_id
        self.pending: dict[str, Execution] = {}
        """By the message id of the request."""
        self.watcher: Watcher | None = None
        """Set once it has heard the kernel."""
        self._half_over = Deadlines(_WAIT_S, reports, self._end_late)
        """Those of whose reply and idle message one is there."""
        self._listener: object | None = None
        """The connection that takes the kernel's events where nobody watches."""
        self._crowded_out: dict[str, None] = {}
        """Asked for and still to be run, but no longer pending: too many are."""
        self._reports = reports
        self._is_stopping = is_stopping

    @property
    def is_full(self) -> bool:
        """Whether one more makes the oldest give way."""
        return len(self.pending) >= _MAX_EXECUTIONS

    def is_told_by_askers(self) -> bool:
        """Return whether something is pending, and connections tell of all of it.

        Not before the watcher has heard the kernel: until then it cannot go on.
        """
        watcher, pending = self.watcher, self.pending.values()
        if watcher is None or not pending:
            return False
        return all(
            each.asker is not None and each.feed is not watcher for each in pending
        )

    def listens(self, asker: object) -> bool:
        """Return whether a connection takes the kernel's events: one, if unwatched."""
        if self._listener is None:
            self._listener = asker
        return self.watcher is None and self._listener is asker

    def begin(self, execution: Execution) -> None:
        """Take in an execution that was asked for, and report it."""
        same = self.pending.get(execution.msg_id)
        if same is not None and same.asker is not execution.asker:
            self._report_alone(execution, same)
            return
        # Two with one id cannot be told apart any more: neither is left out.
        if same is not None:
            self.give_up(same, Status.UNTRACKED)
        elif self.is_full:
            self._crowd_out()
        self.pending[execution.msg_id] = execution
        self._reports.began(self.kernel_id, execution)

    def knows(self, msg_id: str) -> bool:
        """Return whether an execution was begun here, lately or not ended yet."""
        if msg_id in self._crowded_out:
            return True
        return self._reports.attributions.knows(self.kernel_id, msg_id)

    def reply(
        self, execution: Execution, content: Mapping[str, Any], teller: object
    ) -> None:
        """Take in the kernel's reply, if it is to whoever asked."""
        if execution.asker is not teller:
            return
        execution.reply(content, self._reports.now_ns())
        self._correct(execution)
        self._end_when_over(execution)

    def hear(self, execution: Execution, said: KernelMessage, teller: object) -> None:
        """Take in what the kernel says to all about a pending execution."""
        if execution.has_namesake:
            return
        is_watcher = teller is self.watcher
        # Another connection may leave before this one's end.
        if execution.feed is None and (is_watcher or teller is execution.asker):
            execution.feed = teller
        if execution.feed is teller:
            self._take(execution, said)
            if said.msg_type == "status":
                self._turned(execution)
        elif is_watcher:
            execution.watched = execution.watched or Heard()
            self._take(execution.watched, said)
            if execution.replied_ns is not None:
                self._end_when_over(execution)

    def _take(self, heard: Heard, said: KernelMessage) -> None:
        if said.msg_type == "status":
            state = said.parsed().get("execution_state")
            if state == "busy":
                heard.busy_ns = heard.busy_ns or self._reports.now_ns()
            elif state == "idle":
                heard.idle_ns = self._reports.now_ns()
        elif said.msg_type == "execute_input":
            heard.began(said.parsed())
        elif said.msg_type in _OUTPUTS:
            heard.add_output(said.size_bytes)
            if said.msg_type == "error":
                heard.failed(said.parsed())

    def leave(self, asker: object) -> None:
        """Let a connection go: the kernel goes on, and the watcher tells of its end."""
        if self._listener is asker:
            self._listener = None
        if self.watcher is not None:
            self.watcher.catch_up()
        for execution in list(self.pending.values()):
            if execution.asker is asker:
                self._orphan(execution)

    def give_up(self, execution: Execution, status: Status) -> None:
        """End an execution of which nothing more will be heard."""
        execution.give_up(status, self._reports.now_ns())
        self._end(execution)

    def give_up_all(self, status: Status) -> None:
        """End everything: the kernel has gone."""
        self._crowded_out.clear()
        for execution in list(self.pending.values()):
            self.give_up(execution, status)

    def _report_alone(self, execution: Execution, same: Execution) -> None:
        """Report one that has the id of another connection's, which it must not end.

        What the kernel says to all may be about either: the other one is from now on
        ended by its own reply alone, and of this one no more is told.
        """
        same.has_namesake = same.asker is not None
        self._reports.began(self.kernel_id, execution)
        execution.give_up(Status.UNTRACKED, self._reports.now_ns())
        self._reports.ended(execution)

    def _crowd_out(self) -> None:
        """Let the oldest go, of those that only the kernel told of if there are any."""
        found = (each for each in self.pending.values() if not each.was_seen_asked)
        oldest = next(found, None) or next(iter(self.pending.values()))
        if oldest.was_seen_asked:
            self._crowded_out[oldest.msg_id] = None
        if len(self._crowded_out) > _MAX_CROWDED_OUT:
            del self._crowded_out[next(iter(self._crowded_out))]
        self.give_up(oldest, Status.UNTRACKED)

    def _orphan(self, execution: Execution) -> None:
        execution.asker = None
        if self.watcher is None:
            self.give_up(execution, Status.DISCONNECTED)
            return
        execution.has_namesake = False
        if execution.feed is not self.watcher:
            execution.go_on_from(execution.watched)
            execution.feed = self.watcher
        self._end_when_over(execution)

    def _turned(self, execution: Execution) -> None:
        """Act on what a kernel's state says of an execution: it runs, or has run."""
        if execution.busy_ns is not None:
            execution.request = None
        if execution.idle_ns is not None:
            self._end_when_over(execution)

    def _end_when_over(self, execution: Execution) -> None:
        """End it, or wait a little for what its reply or its idle message overtook.

        Connections read a flood of outputs slowly, and its reply before these: what the
        watcher has heard to the end is all there is.
        """
        watched = execution.watched
        if execution.replied_ns is not None and watched and watched.is_whole:
            execution.go_on_from(watched)
        if execution.is_over:
            self._end(execution)
            return
        is_half = execution.replied_ns is not None or execution.idle_ns is not None
        if is_half and execution not in self._half_over:
            self._half_over.add(execution)

    def _end_late(self, execution: Execution) -> None:
        # The edge of a hook: called by the event loop.
        try:
            if self.watcher is not None:
                self.watcher.catch_up()
            self._end(execution)
        except Exception as error:  # noqa: BLE001
            self._reports.faults.note(error)

    def _end(self, execution: Execution) -> None:
        if self.pending.get(execution.msg_id) is not execution:
            return
        del self.pending[execution.msg_id]
        self._half_over.discard(execution)
        if execution.replied_ns is None:
            execution.conclude(self._reports.now_ns())
            self._correct(execution)
        self._reports.ended(execution)

    def _correct(self, execution: Execution) -> None:
        """Tell a person's interrupt from the one that comes before a kernel's stop."""
        if execution.status in _STOPPED and self._is_stopping():
            execution.status, execution.error_name = Status.KERNEL_DIED, None


class RunningExecutions:
    """The executions of every kernel that somebody listens to."""

    def __init__(
        self,
        reports: ExecutionReports,
        is_stopping: Callable[[str], bool] = lambda _kernel_id: False,
    ) -> None:
        self.reports = reports
        self._is_stopping = is_stopping
        # Who listens to a kernel holds its table; it goes with the last of them.
        self._kernels: WeakValueDictionary[str, KernelExecutions] = (
            WeakValueDictionary()
        )

    def of(self, kernel_id: str) -> KernelExecutions:
        """Return the table of a kernel: the same to all who hold it."""
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            is_stopping = partial(self._is_stopping, kernel_id)
            kernel = KernelExecutions(kernel_id, self.reports, is_stopping)
            self._kernels[kernel_id] = kernel
        return kernel

    def kernel_gone(self, kernel_id: str) -> None:
        """End what a kernel was running that died, was stopped or restarted."""
        kernel = self._kernels.get(kernel_id)
        if kernel is not None:
            kernel.give_up_all(Status.KERNEL_DIED)

    def close(self, status: Status) -> None:
        """End everything: the server goes."""
        for kernel in list(self._kernels.values()):
            kernel.give_up_all(status)
