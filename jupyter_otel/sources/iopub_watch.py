"""What one kernel says to all, heard on a socket of our own.

It tells of the end of every execution, and finds those that no connection of this
server carried: of direct ZMQ clients, of ``jupyter console --existing``, of code that
the server itself runs. Nearly every message is told apart by a substring of its header
or of its parent's, before anything is parsed.

::

    kernel ──iopub──▶ IopubWatch ──of an execution that is known──▶ hear
                          ├── of one that nobody here asked for ──▶ find, begin
                          └── our own part of the kernel's events ▶ kernel_events

A kernel can say what it likes. What it says is kept in its own table only, as a
client's word, and bounded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_otel.sources.allowance import Allowance
from jupyter_otel.sources.execution_reports import ExecutionReports
from jupyter_otel.sources.executions import Execution, Status
from jupyter_otel.sources.kernel_executions import KernelExecutions
from jupyter_otel.sources.kernel_frames import (
    KernelMessage,
    is_about_execution,
    parts_of,
    read_event,
    read_parent,
    read_parts,
)
from jupyter_otel.tally import Refusal

_FOUND_PER_S = 100.0
_FOUND_AT_ONCE = 1000.0
_MAX_PARENT_BYTES = 1 << 14
_MAX_INPUT_BYTES = 1 << 20
"""The server bounds what its clients send; a kernel is bounded by nobody."""
_MAX_ID = 256

Find = Callable[[str, Mapping[str, Any], str | None], Execution]
"""Makes an execution of a kernel's id, the header of its request and its code."""


class IopubWatch:
    """The ear at one kernel's iopub socket.

    Args:
        kernel: The table of its executions.
        reports: Where refusals and errors end.
        find: Makes an execution of what was found; None: none is reported.
        kernel_events: Takes the kernel's id and the content of a message of events;
            None: nobody listens to these.
    """

    def __init__(
        self,
        kernel: KernelExecutions,
        reports: ExecutionReports,
        find: Find | None,
        kernel_events: Callable[[str, bytes], None] | None,
    ) -> None:
        self._kernel = kernel
        self._reports = reports
        self._find = find
        self._kernel_events = kernel_events
        self.catch_up: Callable[[], None] = lambda: None
        """Reads now what the socket has."""
        self._allowance = Allowance(
            _FOUND_PER_S, _FOUND_AT_ONCE, lambda: reports.now_ns() / 1e9
        )
        self._newest: dict[str | None, Execution] = {}
        """By subshell: each runs one execution at a time."""

    def take(self, frames: Sequence[bytes]) -> None:
        """Look at one message. Never raises: the edge of a hook."""
        self._kernel.watcher = self
        try:
            parts = parts_of(frames)
            if parts is None:
                return
            if is_about_execution(parts):
                self._hear(parts)
            elif self._kernel_events is not None:
                content = read_event(parts)
                if content is not None:
                    self._kernel_events(self._kernel.kernel_id, content)
        except Exception as error:  # noqa: BLE001
            self._reports.faults.note(error)

    def close(self) -> None:
        """Hear no more."""
        if self._kernel.watcher is self:
            self._kernel.watcher = None

    def _hear(self, parts: Sequence[bytes]) -> None:
        said = read_parts(parts) if len(parts[1]) <= _MAX_PARENT_BYTES else None
        if said is None or len(said.parent_id) > _MAX_ID:
            self._reports.intake.refuse(Refusal.MALFORMED)
            return
        if said.msg_type == "execute_input":
            self._input(said, parts)
        execution = self._kernel.pending.get(said.parent_id)
        if execution is not None:
            self._kernel.hear(execution, said, self)

    def _input(self, said: KernelMessage, parts: Sequence[bytes]) -> None:
        header = read_parent(parts)
        execution = self._kernel.pending.get(said.parent_id)
        if execution is None:
            execution = self._found(said, header)
        if execution is not None:
            self._supersede(execution, header.get("subshell_id"))

    def _found(
        self, said: KernelMessage, header: Mapping[str, Any]
    ) -> Execution | None:
        """Begin an execution that nobody here asked for, unless it was told before."""
        kernel = self._kernel
        is_request = header.get("msg_type") == "execute_request"
        if self._find is None or not is_request or kernel.knows(said.parent_id):
            return None
        # What a kernel says may not crowd out what people asked for.
        if kernel.is_full or self._allowance.left < 1:
            self._reports.intake.refuse(Refusal.FLOOD)
            return None
        self._allowance.charge(1)
        execution = self._find(kernel.kernel_id, header, _code(said))
        execution.feed = self
        kernel.begin(execution)
        return execution

    def _supersede(self, execution: Execution, subshell_id: object) -> None:
        """End what ran before in the same shell: its end was not heard."""
        shell = subshell_id if isinstance(subshell_id, str) else None
        before = self._newest.get(shell)
        if len(self._newest) > _MAX_ID:
            self._newest.clear()
        self._newest[shell] = execution
        if before is None or before is execution or before.asker is not None:
            return
        if self._kernel.pending.get(before.msg_id) is before:
            self._kernel.give_up(before, Status.UNTRACKED)


def _code(said: KernelMessage) -> str | None:
    if said.size_bytes > _MAX_INPUT_BYTES:
        return None
    code = said.parsed().get("code")
    return code if isinstance(code, str) else None
