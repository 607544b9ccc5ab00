"""The events that are made of executions: when they begin, go on and end.

Which messages make an execution begin or end is ``kernel_executions.py``'s.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_otel.event import Intake
from jupyter_otel.schema import Schema
from jupyter_otel.sources.attributions import Attributions
from jupyter_otel.sources.deadlines import Deadlines
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
    monotonic: Callable[[], float] = time.monotonic
    attributions: Attributions = field(default_factory=Attributions)
    """Whose the executions are; `Attributions.of` is for what kernels report."""
    faults: HookFaults = field(
        default_factory=lambda: HookFaults("the capture of executions")
    )
    _beats: Deadlines[Execution] = field(init=False)
    """When those that run are reported next."""

    def __post_init__(self) -> None:
        self._beats = Deadlines(self.heartbeat_s, self, self._beat)

    def began(self, kernel_id: str, execution: Execution) -> None:
        """Report that it was asked for."""
        self.attributions.note(kernel_id, execution.msg_id, execution.attribution)
        self._report(execution, "started", {}, execution.requested_ns)
        if self.heartbeat_s > 0:
            self._beats.add(execution)

    def ended(self, execution: Execution) -> None:
        """Report its end."""
        self._beats.discard(execution)
        self._report(execution, "finished", execution.outcome(), execution.replied_ns)

    def _beat(self, execution: Execution) -> None:
        # The edge of a hook: called by the event loop.
        try:
            self._beats.add(execution)
            if execution.busy_ns is not None:  # what only waits does not run
                self._report(execution, "running", execution.progress(), self.now_ns())
        except Exception as error:  # noqa: BLE001
            self.faults.note(error)

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
