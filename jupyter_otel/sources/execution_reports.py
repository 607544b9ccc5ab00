"""The events that are made of executions: when they begin, go on and end.

Which messages make an execution begin or end is ``kernel_executions.py``'s. One timer
serves all that run, and there is none while nothing runs.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_otel.event import Intake
from jupyter_otel.schema import Schema
from jupyter_otel.sources.attributions import Attributions
from jupyter_otel.sources.executions import Execution
from jupyter_otel.sources.faults import HookFaults

EXECUTION_SCHEMA = "https://events.jupyter.org/jupyter_otel/execution/v1"

CallLater = Callable[[float, Callable[[], None]], Callable[[], None]]
"""Runs something after so many seconds; returns what takes that back."""


@dataclass(slots=True, eq=False)
class ExecutionReports:
    """Reports executions to the pipeline, and knows which ones run.

    Used on the event loop only.
    """

    intake: Intake
    schema: Schema
    call_later: CallLater
    heartbeat_s: float = 60.0
    """How often a long execution is reported while it runs; 0: never."""
    now_ns: Callable[[], int] = time.time_ns
    attributions: Attributions = field(default_factory=Attributions)
    """Whose the executions are; `Attributions.of` is for what kernels report."""
    faults: HookFaults = field(
        default_factory=lambda: HookFaults("the capture of executions")
    )
    _running: dict[Execution, None] = field(default_factory=dict)
    _cancel_beat: Callable[[], None] | None = None

    def began(self, kernel_id: str, execution: Execution) -> None:
        """Report that it was asked for."""
        self.attributions.note(kernel_id, execution.msg_id, execution.attribution)
        self._report(execution, "started", {}, execution.requested_ns)
        self._running[execution] = None
        if self.heartbeat_s > 0:
            execution.beats_ns = execution.requested_ns + self._interval_ns
            if self._cancel_beat is None:
                self._cancel_beat = self.call_later(self.heartbeat_s, self._beat)

    def ended(self, execution: Execution) -> None:
        """Report its end."""
        self._running.pop(execution, None)
        if execution.cancel_wait is not None:
            execution.cancel_wait()
        self._report(execution, "finished", execution.outcome(), execution.replied_ns)
        if not self._running and self._cancel_beat is not None:
            self._cancel_beat()
            self._cancel_beat = None

    @property
    def _interval_ns(self) -> int:
        return int(self.heartbeat_s * 1e9)

    def _beat(self) -> None:
        self._cancel_beat = None
        # The edge of a hook: called by the event loop.
        try:
            now_ns = self.now_ns()
            for execution in self._running:
                if execution.beats_ns <= now_ns:
                    execution.beats_ns = now_ns + self._interval_ns
                    self._report_running(execution, now_ns)
            next_ns = min(each.beats_ns for each in self._running)
            delay_s = max(next_ns - now_ns, 0) / 1e9
            self._cancel_beat = self.call_later(delay_s, self._beat)
        except Exception as error:  # noqa: BLE001
            self.faults.note(error)

    def _report_running(self, execution: Execution, now_ns: int) -> None:
        if execution.busy_ns is not None:  # what only waits does not run
            self._report(execution, "running", execution.progress(), now_ns)

    def _report(
        self,
        execution: Execution,
        phase: Literal["started", "running", "finished"],
        further: Mapping[str, Any],
        time_ns: int | None,
    ) -> None:
        data = {"phase": phase, **execution.facts, **further}
        attribution = execution.attribution._replace(time_ns=time_ns)
        self.intake.emit(self.schema, data, attribution)
