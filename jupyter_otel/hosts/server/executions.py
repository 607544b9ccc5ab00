"""The capture of executions on a server: what it is given and where it hangs.

How an execution is told from messages is in ``sources/``; here only jupyter_server's
own settings are read and set.
"""

import atexit
from dataclasses import replace
from functools import partial
from typing import Any

from jupyter_otel.event import Person
from jupyter_otel.hosts.code import takes_code
from jupyter_otel.hosts.collected_schema import collected_schema
from jupyter_otel.hosts.server.datasets import reader_of_kernels
from jupyter_otel.hosts.server.kernel_managers import derive_kernel_managers
from jupyter_otel.hosts.server.notebooks import NotebookPaths
from jupyter_otel.hosts.server.people import People, account_of
from jupyter_otel.hosts.trace_context import execution_spans
from jupyter_otel.schema import Group, Schema
from jupyter_otel.sources.attributions import Attributions
from jupyter_otel.sources.client_programs import client_program
from jupyter_otel.sources.event_loop import call_later
from jupyter_otel.sources.execution_facts import ExecutionFacts
from jupyter_otel.sources.execution_reports import EXECUTION_SCHEMA, ExecutionReports
from jupyter_otel.sources.executions import Status
from jupyter_otel.sources.faults import HookEdge
from jupyter_otel.sources.found_executions import FoundExecutions
from jupyter_otel.sources.iopub_watch import IopubWatch
from jupyter_otel.sources.kernel_actions import KernelActions, telling
from jupyter_otel.sources.kernel_executions import KernelExecutions, RunningExecutions
from jupyter_otel.sources.kernel_frames import KERNEL_EVENT
from jupyter_otel.sources.kernel_messages import ExecutionCapture, capturing
from jupyter_otel.sources.kernel_watches import KernelWatches
from jupyter_otel.telemetry import Telemetry

_EDGE = HookEdge("the watch over kernels")
_CONNECTION_CLASS = "kernel_websocket_connection_class"


def capture_executions(serverapp: Any, telemetry: Telemetry) -> None:
    """Report the executions of every kernel from now on.

    Where the source is off, or policy does not collect executions, nothing is done.
    """
    is_on = telemetry.settings.sources.executions
    schema = collected_schema(telemetry, EXECUTION_SCHEMA, is_on=is_on)
    if schema is None:
        return
    running = _running_executions(serverapp, telemetry, schema)
    capture = _execution_capture(serverapp, telemetry, running)
    watches = _watches(serverapp, telemetry, capture)
    telemetry.spans.prepare_beside()
    settings = serverapp.web_app.settings
    capture = replace(capture, watch=watches.open)
    settings[_CONNECTION_CLASS] = capturing(settings[_CONNECTION_CLASS], capture)
    if capture.kernel_events is not None:
        _leave_untracked(serverapp.kernel_manager)
    _follow_kernels(serverapp, watches)
    # Whatever ends the process: kernels of its own do not outlive it.
    behind_gateway = serverapp.gateway_config.gateway_enabled
    last = Status.DISCONNECTED if behind_gateway else Status.KERNEL_DIED
    atexit.register(running.close, last)


def _running_executions(
    serverapp: Any, telemetry: Telemetry, schema: Schema
) -> RunningExecutions:
    kernels = serverapp.kernel_manager
    reports = ExecutionReports(
        intake=telemetry.intake,
        schema=schema,
        call_later=call_later,
        heartbeat_s=telemetry.settings.sources.heartbeat_s,
        attributions=Attributions(is_alive=kernels.__contains__),
    )

    def is_stopping(kernel_id: str) -> bool:
        if kernel_id not in kernels:
            return True
        return bool(getattr(kernels.get_kernel(kernel_id), "shutting_down", False))

    return RunningExecutions(reports, is_stopping)


def _execution_capture(
    serverapp: Any, telemetry: Telemetry, running: RunningExecutions
) -> ExecutionCapture:
    kernel_events = reader_of_kernels(telemetry, running.reports.attributions.of)
    return ExecutionCapture(
        running=running,
        facts=ExecutionFacts(
            takes_code=takes_code(telemetry.settings.policy),
            notebook_path=NotebookPaths(serverapp.session_manager),
            program=client_program,
        ),
        spans=execution_spans(telemetry),
        person=People(serverapp.identity_provider).person,
        kernel_events=kernel_events,
        asks_for_datasets=partial(_allows_data, telemetry),
    )


def _allows_data(telemetry: Telemetry, person: Person | None) -> bool:
    """Return whether what a person's cells open may leave: else no kernel looks."""
    choices = telemetry.choices
    return choices is not None and choices.allows(person, Group.DATA)


def _watches(
    serverapp: Any, telemetry: Telemetry, capture: ExecutionCapture
) -> KernelWatches:
    kernels, running = serverapp.kernel_manager, capture.running
    reports = running.reports
    account = account_of(serverapp.identity_provider)
    find = FoundExecutions(
        facts=capture.facts,
        spans=capture.spans,
        person=account,
        kernel_name=lambda kernel_id: kernels.get_kernel(kernel_id).kernel_name,
        now_ns=reports.now_ns,
    )
    # Nobody can be asked whether what is nobody's may leave.
    may_find = account is not None or _is_mandatory(telemetry)

    def make(kernel: KernelExecutions) -> IopubWatch:
        return IopubWatch(
            kernel, reports, find if may_find else None, capture.kernel_events
        )

    return KernelWatches(kernels, running, make, call_later)


def _follow_kernels(serverapp: Any, watches: KernelWatches) -> None:
    """Watch the kernels that run, and those that will."""
    kernels = serverapp.kernel_manager
    actions = KernelActions(
        {
            "start": watches.open,
            "restart": watches.restarted,
            "shutdown": watches.gone,
        }
    )
    # A manager of another making has its kernels watched while they are there.
    with _EDGE:
        derive_kernel_managers(kernels, lambda base: telling(base, actions), _EDGE)
    for kernel_id in kernels.list_kernel_ids():
        with _EDGE:
            kernel = kernels.get_kernel(kernel_id)
            kernel.__class__ = telling(type(kernel), actions)
        watches.open(kernel_id)


def _is_mandatory(telemetry: Telemetry) -> bool:
    """Return whether nobody is asked about executions."""
    choices = telemetry.choices
    return choices is not None and choices.is_mandatory(Group.EXECUTIONS)


def _leave_untracked(kernel_manager: Any) -> None:
    """Keep the events that kernels report from counting as activity of theirs."""
    untracked = kernel_manager.untracked_message_types
    if KERNEL_EVENT not in untracked:
        kernel_manager.untracked_message_types = [*untracked, KERNEL_EVENT]
