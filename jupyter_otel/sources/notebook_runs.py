"""Runs of notebooks without a server, by the hooks of the client that runs them.

A run is an event and a span, and each of its cells an execution below it. What is read
off the client is in ``notebook_clients.py``, the state of an execution in
``executions.py``.

::

    kernel is ready   on_notebook_start     run started
    cell goes out     on_cell_execute       execution started; its traceparent lent
    it is out         on_cell_complete      to the session for this one request
    reply is there    on_cell_executed      execution finished
    kernel is gone    the session's parent  run finished, and before it what is open
    kernel stays      on_notebook_complete  likewise

papermill and nbconvert never call `on_notebook_complete`. However a run ends, its
kernel's manager is cleaned up, and lets go of the session: that is what is observed.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal
from weakref import finalize

from jupyter_otel.event import Attribution, Intake, Person, SpanContext
from jupyter_otel.schema import Schema
from jupyter_otel.sources.event_loop import call_later
from jupyter_otel.sources.execution_reports import CallLater
from jupyter_otel.sources.executions import Execution, Status, cell_id
from jupyter_otel.sources.faults import HookEdge
from jupyter_otel.sources.notebook_clients import (
    RunStatus,
    calling_client,
    engine_of,
    fails_run,
    holds_code,
    is_parameters,
    kernel_of,
    path_of,
    status_of,
)
from jupyter_otel.sources.spans import Spans

NOTEBOOK_RUN_SCHEMA = "https://events.jupyter.org/jupyter_otel/notebook_run/v1"

# A hook sees neither when the kernel began with a cell nor the messages it sends.
_SEEN = ("status", "error_name", "duration_ms", "execution_count")
_CELL_STATUSES: Mapping[RunStatus | None, Status] = {
    RunStatus.KERNEL_DIED: Status.KERNEL_DIED,
    RunStatus.TIMEOUT: Status.INTERRUPTED,
    RunStatus.INTERRUPTED: Status.INTERRUPTED,
}

Hook = Callable[..., None]


@dataclass(frozen=True, slots=True)
class RunCapture:
    """What hooks need to report runs."""

    intake: Intake
    run_schema: Schema | None
    """None: policy does not collect it."""
    execution_schema: Schema | None
    """Likewise."""
    takes_code: bool
    """Whether code is handed in at all; what leaves of it is policy's."""
    spans: Spans | None
    """None: no trace context, neither made nor read."""
    parent: Callable[[], SpanContext | None]
    """The span that a run starts in."""
    person: Person | None = None
    """Whose the runs are; None: nobody's, so that no consent is needed."""
    notebook_path: str | None = None
    """Where the caller names it; None: what the engine knows."""
    heartbeat_s: float = 60.0
    """How often a long cell is reported while it runs; 0: never."""
    call_later: CallLater = call_later
    now_ns: Callable[[], int] = time.time_ns


@dataclass(slots=True, eq=False)
class _Run:
    """A run that has no end yet."""

    started_ns: int
    facts: Mapping[str, Any]
    attribution: Attribution
    outer_error: int
    """Which exception was being handled before it began, by identity."""
    execution: Execution | None = None
    """Of the cell that is running."""
    cancel_beat: Callable[[], None] = lambda: None
    """Takes back the next report that it runs."""
    fatal: Execution | None = None
    """Of the first cell whose error makes the run a failure."""
    cells_run: int = 0
    cells_failed: int = 0
    take_back: Callable[[], object] | None = None
    """Gives the session its own metadata back, where ours are lent to it."""
    forget: list[Callable[[], object]] = field(default_factory=list)
    """Ends what waits for the end."""


class NotebookRuns:
    """The runs of any number of clients, at the same time or one after the other."""

    def __init__(self, capture: RunCapture) -> None:
        self._capture = capture
        self._edge = HookEdge("a notebook run's hook")
        self._runs: dict[int, _Run] = {}
        """By their client's identity; a client that goes first ends its run."""

    def hooks(self) -> dict[str, Hook]:
        """Return the hooks by the names of nbclient's traits.

        They are plain functions: traitlets copies those of a configuration deeply, and
        a bound method with all that it is bound to.
        """
        work = {
            "on_notebook_start": self._notebook_started,
            "on_cell_execute": self._cell_goes_out,
            "on_cell_complete": self._cell_is_out,
            "on_cell_executed": self._cell_replied,
            "on_notebook_complete": self._notebook_completed,
        }
        return {name: self._guarded(method) for name, method in work.items()}

    def close(self) -> None:
        """End what runs: nobody will see how it ends."""
        with self._edge:
            for key in list(self._runs):
                self._end(key, RunStatus.DISCONNECTED)

    def _guarded(self, work: Callable[[Any, Mapping[str, Any]], None]) -> Hook:
        def hook(**about: Any) -> None:
            with self._edge:  # a hook that raises would end the run
                work(calling_client(), about)

        return hook

    def _notebook_started(self, client: Any, about: Mapping[str, Any]) -> None:
        self._end(id(client), None)  # it runs another, and kept its kernel
        self._begin(client, about["notebook"])

    def _cell_goes_out(self, client: Any, about: Mapping[str, Any]) -> None:
        # A client that was given a kernel with its channels announces no notebook.
        run = self._runs.get(id(client)) or self._begin(client, client.nb)
        self._end_cell(run, Status.DISCONNECTED)
        run.execution = execution = self._execution(run, about["cell"])
        run.cells_run += 1
        self._report_cell(execution, "started", {}, execution.requested_ns)
        self._beat_later(run, execution)
        _lend(client.kc.session, run, self._headers(execution))

    def _cell_is_out(self, client: Any, _: Mapping[str, Any]) -> None:
        run = self._runs.get(id(client))
        if run is not None:
            _take_back(run)

    def _cell_replied(self, client: Any, about: Mapping[str, Any]) -> None:
        run = self._runs.get(id(client))
        if run is None or run.execution is None:
            return
        execution, reply = run.execution, about["execute_reply"]["content"]
        execution.reply(reply, self._capture.now_ns())
        if run.fatal is None and fails_run(client, about["cell"], reply):
            run.fatal = execution
        self._end_cell(run, Status.OK)

    def _notebook_completed(self, client: Any, _: Mapping[str, Any]) -> None:
        self._end_as_seen(id(client))

    def _kernel_gone(self, key: int, change: Mapping[str, Any]) -> None:
        with self._edge:
            if change["new"] is None:
                # Its manager knows; the exception may pass on another thread.
                stopped = getattr(change["old"], "shutting_down", True)
                self._end_as_seen(key, stopped=stopped)

    def _client_gone(self, key: int) -> None:
        with self._edge:
            self._end(key, None)

    def _begin(self, client: Any, notebook: Any) -> _Run:
        capture, key = self._capture, id(client)
        run = _Run(
            started_ns=capture.now_ns(),
            facts=_facts(capture, client, notebook),
            attribution=Attribution(
                person=capture.person,
                span=self._span(capture.parent(), "run"),
            ),
            outer_error=id(sys.exception()),
        )
        self._runs[key] = run
        cells = sum(map(holds_code, notebook.cells))
        self._report_run(run, "started", {"cell_count": cells}, run.started_ns)
        self._wait_for_end(run, client, key)
        return run

    def _wait_for_end(self, run: _Run, client: Any, key: int) -> None:
        gone = finalize(client, self._client_gone, key)
        gone.atexit = False  # `close` comes first
        session, told = client.km.session, partial(self._kernel_gone, key)
        session.observe(told, "parent")
        run.forget = [gone.detach, partial(session.unobserve, told, "parent")]

    def _execution(self, run: _Run, cell: Mapping[str, Any]) -> Execution:
        capture, now_ns = self._capture, self._capture.now_ns()
        takes_code = capture.takes_code and not is_parameters(cell)
        facts = {
            **run.facts,
            "client": run.facts["engine"],
            "cell_id": cell_id(cell.get("id")),
            "code_lines": len(cell["source"].splitlines()),
            "code": cell["source"] if takes_code else None,
        }
        del facts["engine"]
        attribution = run.attribution
        return Execution(
            msg_id="",
            requested_ns=now_ns,
            busy_ns=now_ns,
            facts={name: value for name, value in facts.items() if value is not None},
            attribution=attribution._replace(
                span=self._span(attribution.span, "execute")
            ),
        )

    def _span(self, parent: SpanContext | None, name: str) -> SpanContext | None:
        spans = self._capture.spans
        return None if spans is None else spans.start(parent, name)

    def _beat_later(self, run: _Run, execution: Execution) -> None:
        if self._capture.heartbeat_s > 0:
            run.cancel_beat = self._capture.call_later(
                self._capture.heartbeat_s, partial(self._beat, run, execution)
            )

    def _beat(self, run: _Run, execution: Execution) -> None:
        with self._edge:
            self._report_cell(execution, "running", {}, self._capture.now_ns())
            self._beat_later(run, execution)

    def _headers(self, execution: Execution) -> Mapping[str, str]:
        spans, span = self._capture.spans, execution.attribution.span
        return {} if spans is None or span is None else spans.headers(span)

    def _end_cell(self, run: _Run, without_reply: Status) -> None:
        """End the cell that runs, if one does; one that has its reply keeps it."""
        execution, run.execution = run.execution, None
        if execution is None:
            return
        run.cancel_beat()
        execution.give_up(without_reply, self._capture.now_ns())
        run.cells_failed += execution.status is not Status.OK
        outcome = execution.outcome()
        seen = {name: outcome[name] for name in _SEEN if name in outcome}
        self._report_cell(execution, "finished", seen, execution.replied_ns)

    def _end_as_seen(self, key: int, *, stopped: bool = True) -> None:
        """End a run by what ends it: an exception, a cell, or nothing bad at all.

        Args:
            key: Its client's identity.
            stopped: Whether somebody stopped the kernel, which else has died.
        """
        run = self._runs.get(key)
        if run is None:
            return
        error = sys.exception()
        if error is None or id(error) == run.outer_error:
            taken = RunStatus.INTERRUPTED if stopped else RunStatus.KERNEL_DIED
            self._end(key, taken if run.execution else None)
        elif run.execution is None and run.fatal is not None:
            self._end(key, None)
        else:
            status = status_of(error)
            name = type(error).__name__ if status is RunStatus.ERROR else None
            self._end(key, status, name)

    def _end(
        self, key: int, status: RunStatus | None, error_name: str | None = None
    ) -> None:
        """End a run; None: by what its cells did."""
        run = self._runs.pop(key, None)
        if run is None:
            return
        for forget in run.forget:
            forget()
        _take_back(run)
        self._end_cell(run, _CELL_STATUSES.get(status, Status.DISCONNECTED))
        if status is None:
            status, error_name = _by_cells(run)
        now_ns = self._capture.now_ns()
        outcome = {
            "status": status,
            "error_name": error_name,
            "duration_ms": round(max(now_ns - run.started_ns, 0) / 1e6, 3),
            "cells_run": run.cells_run,
            "cells_failed": run.cells_failed,
        }
        seen = {name: value for name, value in outcome.items() if value is not None}
        self._report_run(run, "finished", seen, now_ns)

    def _report_run(
        self,
        run: _Run,
        phase: Literal["started", "finished"],
        outcome: Mapping[str, Any],
        time_ns: int,
    ) -> None:
        if self._capture.run_schema is not None:
            data = {"phase": phase, **run.facts, **outcome}
            attribution = run.attribution._replace(time_ns=time_ns)
            self._capture.intake.emit(self._capture.run_schema, data, attribution)

    def _report_cell(
        self,
        execution: Execution,
        phase: Literal["started", "running", "finished"],
        outcome: Mapping[str, Any],
        time_ns: int | None,
    ) -> None:
        if self._capture.execution_schema is not None:
            data = {"phase": phase, **execution.facts, **outcome}
            attribution = execution.attribution._replace(time_ns=time_ns)
            self._capture.intake.emit(self._capture.execution_schema, data, attribution)


def _facts(capture: RunCapture, client: Any, notebook: Any) -> dict[str, Any]:
    path = capture.notebook_path or path_of(client, notebook)
    about = {"engine": engine_of(client), **kernel_of(client)}
    return about if path is None else {**about, "notebook_path": path}


def _lend(session: Any, run: _Run, headers: Mapping[str, str]) -> None:
    """Have the next request carry what tells the kernel of its span."""
    if headers:
        run.take_back = partial(setattr, session, "metadata", session.metadata)
        session.metadata = {**session.metadata, **headers}


def _take_back(run: _Run) -> None:
    take_back, run.take_back = run.take_back, None
    if take_back is not None:
        take_back()


def _by_cells(run: _Run) -> tuple[RunStatus, str | None]:
    if run.fatal is None:
        return RunStatus.OK, None
    if run.fatal.status is Status.INTERRUPTED:
        return RunStatus.INTERRUPTED, None
    return RunStatus.ERROR, run.fatal.error_name
