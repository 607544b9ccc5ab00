"""Executions, read off the messages between a client and a kernel on the server.

A mixin over whatever class serves kernel WebSockets: it sees each message once on its
way in and once on its way out, puts trace context into execute requests and reports
each execution twice, when it is asked for and when it has ended. The wire formats
are ``kernel_wire.py``'s, the state of an execution ``executions.py``'s.

::

    client ──execute_request──▶ incoming ──traceparent added──▶ kernel
    client ◀──replies, outputs── outgoing ◀──unchanged──────── kernel
                                    └──▶ intake: execution started, finished
"""

import re
import time
from collections.abc import Callable, Mapping, MutableSet
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Protocol
from weakref import WeakSet

from jupyter_otel.event import Attribution, Intake, Person, SpanContext
from jupyter_otel.schema import Schema
from jupyter_otel.sources.attributions import Attributions
from jupyter_otel.sources.executions import (
    Execution,
    PendingExecutions,
    Status,
    cell_id,
    kernel_name,
)
from jupyter_otel.sources.faults import HookFaults
from jupyter_otel.sources.kernel_wire import (
    LISTENING,
    ExecuteRequest,
    KernelMessage,
    carries_state,
    read_event_frames,
    read_frames,
    read_relayed,
    read_relayed_event,
    read_request,
    with_metadata,
)

EXECUTION_SCHEMA = "https://events.jupyter.org/jupyter_otel/execution/v1"

_IDLE_WAIT_S = 1.0
_OUTPUTS = frozenset(
    {"stream", "display_data", "execute_result", "update_display_data", "error"}
)
# <session>_<process id>_<count>, as jupyter_client numbers its messages.
_PYTHON_CLIENT_ID = re.compile(r".+_\d+_\d+")


class Spans(Protocol):
    """Makes the span of an execution and carries its context over."""

    def read_parent(self, carrier: Mapping[str, str]) -> SpanContext | None:
        """Return the span that the client says it is in, if it says so."""

    def start(self, parent: SpanContext | None, name: str) -> SpanContext:
        """Return a new span below it, or a new root."""

    def headers(self, span: SpanContext) -> Mapping[str, str]:
        """Return what tells the kernel of it."""


class Connection(Protocol):
    """The part of a kernel WebSocket connection that is read here."""

    kernel_id: str
    kernel_manager: Any
    websocket_handler: Any


@dataclass(frozen=True, slots=True)
class ExecutionCapture:
    """What every connection of one server needs to report executions."""

    intake: Intake
    schema: Schema
    takes_code: bool
    """Whether code is handed in at all; what leaves of it is policy's."""
    spans: Spans | None
    """None: no trace context, neither made nor read."""
    person: Callable[[Any], Person | None]
    """Whose a connection's WebSocket handler is."""
    notebook_path: Callable[[str], str | None]
    """By kernel id."""
    call_later: Callable[[float, Callable[[], None]], Callable[[], None]]
    """Runs something after so many seconds; returns what takes that back."""
    now_ns: Callable[[], int] = time.time_ns
    faults: HookFaults = field(
        default_factory=lambda: HookFaults("a kernel connection's hook")
    )
    watches: MutableSet["ConnectionWatch"] = field(default_factory=WeakSet)
    """Of the connections that are open."""
    attributions: Attributions = field(default_factory=Attributions)
    """Whose the executions are; `Attributions.of` is for what kernels report."""
    kernel_events: Callable[[str, bytes], None] | None = None
    """Takes a kernel's id and the content of a message of its events. None: kernels
    are not asked for any, and such messages are left alone."""
    asks_for_datasets: bool = False
    """Whether kernels are asked, with their events, for the data that cells open."""

    def told(self, span: SpanContext | None) -> dict[str, Any]:
        """Return what a kernel is told with a request, as entries of its metadata."""
        entries: dict[str, Any] = {}
        if self.spans is not None and span is not None:
            entries.update(self.spans.headers(span))
        if self.kernel_events is not None:
            entries[LISTENING] = {"listens": True, "datasets": self.asks_for_datasets}
        return entries

    def kernel_gone(self, kernel_id: str) -> None:
        """End what a kernel was running that was stopped or restarted."""
        for watch in list(self.watches):
            if watch.kernel_id == kernel_id:
                watch.end_all(Status.KERNEL_DIED)


class ConnectionWatch:
    """The executions that one client asked for over one connection.

    Its methods never raise: they are the edge of the hooks.
    """

    def __init__(self, connection: Connection, capture: ExecutionCapture) -> None:
        self._connection = connection
        self._capture = capture
        self._pending = PendingExecutions()
        capture.watches.add(self)

    @property
    def kernel_id(self) -> str:
        """Which kernel the client talks to."""
        return self._connection.kernel_id

    def incoming(self, message: Any) -> Any:
        """Take note of a client's message; return it as the kernel shall get it."""
        # The edge of a hook: an exception here would break the client's connection.
        try:
            request = read_request(message)
            if request is None or request.msg_id in self._pending:
                return message
            return self._requested(request, message)
        except Exception as error:  # noqa: BLE001
            self._capture.faults.note(error)
            return message

    def swallows(self, message: Any) -> bool:
        """Return whether a kernel's message is for us and no client; take it then."""
        take = self._capture.kernel_events
        if take is None:
            return False
        # The edge of a hook, as above.
        try:
            relayed = isinstance(message, str)
            read = read_relayed_event if relayed else read_event_frames
            content = read(message)
        except Exception as error:  # noqa: BLE001
            self._capture.faults.note(error)
            return False
        if content is not None:
            take(self.kernel_id, content)
        return content is not None

    def outgoing(self, message: Any) -> None:
        """Take note of what the kernel says about a pending execution."""
        if not self._pending:
            return
        # The edge of a hook, as above.
        try:
            relayed = isinstance(message, str)
            said = read_relayed(message) if relayed else read_frames(message)
            execution = self._pending.get(said.parent_id) if said else None
            if said is not None and execution is not None:
                self._told(execution, said)
        except Exception as error:  # noqa: BLE001
            self._capture.faults.note(error)

    def end_all(self, status: Status) -> None:
        """End everything pending: the kernel or the client has gone."""
        # The edge of a hook, as above.
        try:
            for execution in self._pending.pop_all():
                self._give_up(execution, status)
        except Exception as error:  # noqa: BLE001
            self._capture.faults.note(error)

    def _requested(self, request: ExecuteRequest, message: Any) -> Any:
        if request.silent:
            return self._forward(request, message, {})
        execution = self._begin(request)
        crowded_out = self._pending.add(execution)
        if crowded_out is not None:
            self._give_up(crowded_out, Status.DISCONNECTED)
        capture = self._capture
        capture.attributions.note(
            self.kernel_id, execution.msg_id, execution.attribution
        )
        self._report(execution, "started", {}, execution.requested_ns)
        told = self._capture.told(execution.attribution.span)
        return self._forward(request, message, told)

    def _forward(
        self, request: ExecuteRequest, message: Any, entries: Mapping[str, Any]
    ) -> Any:
        if not entries and not carries_state(request):
            return message
        return with_metadata(message, entries)

    def _begin(self, request: ExecuteRequest) -> Execution:
        capture = self._capture
        return Execution(
            msg_id=request.msg_id,
            requested_ns=capture.now_ns(),
            facts=self._facts(request),
            attribution=Attribution(
                person=capture.person(self._connection.websocket_handler),
                span=_span(capture.spans, request.metadata),
            ),
        )

    def _facts(self, request: ExecuteRequest) -> dict[str, Any]:
        kernel_id = self.kernel_id
        facts = {
            "kernel_id": kernel_id,
            "kernel_name": kernel_name(
                getattr(self._connection.kernel_manager, "kernel_name", None)
            ),
            "notebook_path": self._capture.notebook_path(kernel_id),
            "cell_id": cell_id(request.metadata.get("cellId")),
            "client": client_of(request),
            "code_lines": len(request.code.splitlines()),
            "code": request.code if self._capture.takes_code else None,
        }
        return {name: value for name, value in facts.items() if value is not None}

    def _told(self, execution: Execution, said: KernelMessage) -> None:
        if said.msg_type in _OUTPUTS:
            execution.add_output(said.size_bytes)
        elif said.msg_type == "status":
            self._state(execution, said.parsed().get("execution_state"))
        elif said.msg_type == "execute_reply":
            execution.reply(said.parsed(), self._capture.now_ns())
            self._end_when_over(execution)

    def _state(self, execution: Execution, state: object) -> None:
        if state == "busy":
            execution.busy_ns = self._capture.now_ns()
        elif state == "idle":
            execution.is_idle = True
            self._end_when_over(execution)

    def _end_when_over(self, execution: Execution) -> None:
        """End it, or wait a little for the outputs that its reply overtook."""
        if execution.is_over:
            self._end(execution)
        elif execution.replied_ns is not None and execution.cancel_wait is None:
            execution.cancel_wait = self._capture.call_later(
                _IDLE_WAIT_S, partial(self._end_late, execution)
            )

    def _end_late(self, execution: Execution) -> None:
        # Called by the event loop: an edge too.
        try:
            self._end(execution)
        except Exception as error:  # noqa: BLE001
            self._capture.faults.note(error)

    def _give_up(self, execution: Execution, status: Status) -> None:
        execution.give_up(status, self._capture.now_ns())
        self._end(execution)

    def _end(self, execution: Execution) -> None:
        self._pending.pop(execution.msg_id)
        if execution.cancel_wait is not None:
            execution.cancel_wait()
        self._report(execution, "finished", execution.outcome(), execution.replied_ns)

    def _report(
        self,
        execution: Execution,
        phase: Literal["started", "finished"],
        outcome: Mapping[str, Any],
        time_ns: int | None,
    ) -> None:
        data = {"phase": phase, **execution.facts, **outcome}
        attribution = execution.attribution._replace(time_ns=time_ns)
        self._capture.intake.emit(self._capture.schema, data, attribution)


class ExecutionCaptureMixin:
    """Over a kernel WebSocket connection class; see `capturing`."""

    otel_capture: ExecutionCapture

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._otel_watch = ConnectionWatch(self, self.otel_capture)  # type: ignore[arg-type]

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass a client's message on to the kernel, with trace context."""
        super().handle_incoming_message(self._otel_watch.incoming(incoming_msg))  # type: ignore[misc]

    def handle_outgoing_message(self, *stream_and_message: Any) -> None:
        """Pass a kernel's message on to the client, unchanged; keep what is for us."""
        if self._otel_watch.swallows(stream_and_message[-1]):
            return
        self._otel_watch.outgoing(stream_and_message[-1])
        super().handle_outgoing_message(*stream_and_message)  # type: ignore[misc]

    def on_kernel_restarted(self) -> None:
        """End what the dead kernel was running."""
        self._otel_watch.end_all(Status.KERNEL_DIED)
        super().on_kernel_restarted()  # type: ignore[misc]

    def on_restart_failed(self) -> None:
        """End what the dead kernel was running."""
        self._otel_watch.end_all(Status.KERNEL_DIED)
        super().on_restart_failed()  # type: ignore[misc]

    def disconnect(self) -> Any:
        """End what nobody listens to any more."""
        self._otel_watch.end_all(Status.DISCONNECTED)
        return super().disconnect()  # type: ignore[misc]


def capturing(base: type, capture: ExecutionCapture) -> type:
    """Return a subclass of a kernel WebSocket connection class that captures."""
    names = {"otel_capture": capture, "__doc__": base.__doc__}
    return type(f"Otel{base.__name__}", (ExecutionCaptureMixin, base), names)


def client_of(request: ExecuteRequest) -> str | None:
    """Return which kind of client asks, where its message tells.

    JupyterLab and Notebook 7 send the same and cannot be told apart.
    """
    if "deletedCells" in request.metadata or "recordTiming" in request.metadata:
        return "jupyterlab"
    if _PYTHON_CLIENT_ID.fullmatch(request.msg_id):
        return "python"
    if not request.subprotocol_v1 and request.username == "username":
        return "nbclassic"
    return None


def _span(spans: Spans | None, metadata: Mapping[str, Any]) -> SpanContext | None:
    if spans is None:
        return None
    # Never from the current context: a cell is no child of its WebSocket's handshake.
    carrier = {key: value for key, value in metadata.items() if isinstance(value, str)}
    return spans.start(spans.read_parent(carrier), "execute")
