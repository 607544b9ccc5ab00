"""The capture of executions on a server: what it is given and where it hangs.

How an execution is told from messages is in ``sources/``; here only jupyter_server's
own settings are read and set.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from jupyter_otel.hosts.code import takes_code
from jupyter_otel.hosts.server.datasets import reader_of_kernels
from jupyter_otel.hosts.server.notebooks import NotebookPaths
from jupyter_otel.hosts.server.people import People
from jupyter_otel.hosts.server.trace_context import TraceContext
from jupyter_otel.schema import Schema
from jupyter_otel.sources.attributions import Attributions
from jupyter_otel.sources.kernel_actions import KernelActionsHandler
from jupyter_otel.sources.kernel_messages import (
    EXECUTION_SCHEMA,
    ExecutionCapture,
    capturing,
)
from jupyter_otel.sources.kernel_wire import KERNEL_EVENT
from jupyter_otel.sources.server_events import EventLoggerHandler
from jupyter_otel.telemetry import Telemetry

_CONNECTION_CLASS = "kernel_websocket_connection_class"


def capture_executions(serverapp: Any, telemetry: Telemetry) -> None:
    """Report the executions of every kernel connection made from now on.

    Where the source is off, or policy does not collect executions, nothing is done.
    """
    if not telemetry.settings.sources.executions:
        return
    schema = telemetry.intake.find(EXECUTION_SCHEMA)
    if schema is None or not telemetry.intake.admits(schema):
        return
    capture = _execution_capture(serverapp, telemetry, schema)
    # Beside the start, and before the first cell: the SDK's import is slow.
    prepare = telemetry.spans.prepare
    threading.Thread(target=prepare, name="jupyter_otel-sdk", daemon=True).start()
    settings = serverapp.web_app.settings
    settings[_CONNECTION_CLASS] = capturing(settings[_CONNECTION_CLASS], capture)
    if capture.kernel_events is not None:
        _leave_untracked(serverapp.kernel_manager)
    # Only beside our own handler: any handler makes the bus validate.
    bus = serverapp.event_logger
    if any(isinstance(h, EventLoggerHandler) for h in bus.handlers):
        bus.register_handler(KernelActionsHandler(capture.kernel_gone))


def _execution_capture(
    serverapp: Any, telemetry: Telemetry, schema: Schema
) -> ExecutionCapture:
    traces = telemetry.settings.traces
    attributions = Attributions()
    kernel_events = reader_of_kernels(telemetry, attributions.of)
    return ExecutionCapture(
        intake=telemetry.intake,
        schema=schema,
        takes_code=takes_code(telemetry.settings.policy),
        spans=TraceContext(telemetry.spans, tells_kernel=traces.kernel != "off")
        if traces.enabled
        else None,
        person=People(serverapp.identity_provider).person,
        notebook_path=NotebookPaths(serverapp.session_manager),
        call_later=_call_later,
        attributions=attributions,
        kernel_events=kernel_events,
        asks_for_datasets=kernel_events is not None,
    )


def _call_later(delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
    return asyncio.get_running_loop().call_later(delay_s, call).cancel


def _leave_untracked(kernel_manager: Any) -> None:
    """Keep the events that kernels report from counting as activity of theirs."""
    untracked = kernel_manager.untracked_message_types
    if KERNEL_EVENT not in untracked:
        kernel_manager.untracked_message_types = [*untracked, KERNEL_EVENT]
