"""Executions, read off the messages between a client and a kernel on the server.

A mixin over whatever class serves kernel WebSockets: it sees each message once on its
way in and once on its way out, puts trace context into execute requests, and tells the
kernel's table of executions what was asked and answered. The wire formats are
``kernel_wire.py``'s and ``kernel_frames.py``'s, the table ``kernel_executions.py``'s.

::

    client ──execute_request──▶ incoming ──traceparent added──▶ kernel
    client ◀──replies, outputs── outgoing ◀──unchanged──────── kernel
                    │               └──▶ KernelExecutions: began, replied, left
                    └── but for our own part of the kernel's events: these stop here
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jupyter_otel.event import Attribution, Person, SpanContext
from jupyter_otel.sources.derived_class import derive
from jupyter_otel.sources.execution_facts import ExecutionFacts
from jupyter_otel.sources.execution_reports import ExecutionReports
from jupyter_otel.sources.executions import Execution, Status
from jupyter_otel.sources.kernel_executions import RunningExecutions
from jupyter_otel.sources.kernel_frames import (
    KernelMessage,
    is_about_execution,
    parts_of,
    read_event,
    read_parts,
    read_relayed,
    read_relayed_event,
    tells_of_death,
)
from jupyter_otel.sources.kernel_wire import (
    LISTENING,
    ExecuteRequest,
    carries_state,
    read_request,
    with_metadata,
)
from jupyter_otel.sources.spans import Spans

V1 = "v1.kernel.websocket.jupyter.org"
_RUN_CODE = frozenset({"shell", "control"})
"""The channels on which kernels take execute requests."""


class Connection(Protocol):
    """The part of a kernel WebSocket connection that is read here."""

    kernel_id: str
    kernel_manager: Any
    websocket_handler: Any


@dataclass(frozen=True, slots=True)
class ExecutionCapture:
    """What every connection of one server needs to report executions."""

    running: RunningExecutions
    facts: ExecutionFacts
    spans: Spans | None
    """None: no trace context, neither made nor read."""
    person: Callable[[Any], Person | None]
    """Whose a connection's WebSocket handler is."""
    kernel_events: Callable[[str, bytes], None] | None = None
    """Takes a kernel's id and the content of a message of its events. None: kernels
    are not asked for any, and such messages are left alone."""
    asks_for_datasets: Callable[[Person | None], bool] = lambda _person: False
    """Whether kernels are asked, with their events, for the data that the cells of a
    person open."""
    watch: Callable[[str], None] = lambda _kernel_id: None
    """Watches what a kernel says to all, if it is not watched yet."""

    @property
    def reports(self) -> ExecutionReports:
        """Where what runs is reported, and where errors end."""
        return self.running.reports

    def span(self, metadata: Mapping[str, Any]) -> SpanContext | None:
        """Return the span of an execution that was asked for with these metadata."""
        if self.spans is None:
            return None
        # Never from the current context: a cell is no child of its WebSocket's
        # handshake.
        carrier = {key: text for key, text in metadata.items() if isinstance(text, str)}
        return self.spans.start(self.spans.read_parent(carrier), "execute")

    def told(self, execution: Execution) -> dict[str, Any]:
        """Return what a kernel is told with a request, as entries of its metadata."""
        person, span, *_ = execution.attribution
        entries: dict[str, Any] = {}
        if self.spans is not None and span is not None:
            entries.update(self.spans.headers(span))
        if self.kernel_events is not None:
            asks = self.asks_for_datasets(person)
            entries[LISTENING] = {"listens": True, "datasets": asks}
        return entries


class ConnectionWatch:
    """The messages of one client's connection to a kernel.

    Its methods never raise: they are the edge of the hooks.
    """

    def __init__(self, connection: Connection, capture: ExecutionCapture) -> None:
        self._connection = connection
        self._capture = capture
        self._kernel = capture.running.of(connection.kernel_id)
        capture.watch(connection.kernel_id)

    def incoming(self, message: Any) -> Any:
        """Take note of a client's message; return it as the kernel shall get it."""
        # The edge of a hook: an exception here would break the client's connection.
        try:
            v1 = getattr(self._connection, "subprotocol", V1) == V1
            request = read_request(message, subprotocol_v1=v1)
            if request is None or not self._is_sent(request, message, v1=v1):
                return message
            return self._requested(request, message, v1=v1)
        except Exception as error:  # noqa: BLE001
            self._capture.reports.faults.note(error)
            return message

    def not_sent(self, message: Any) -> None:
        """End what was asked for with a message that the server could not send."""
        # The edge of a hook, as above.
        try:
            for execution in list(self._kernel.pending.values()):
                if execution.request is message:
                    self._kernel.give_up(execution, Status.UNTRACKED)
        except Exception as error:  # noqa: BLE001
            self._capture.reports.faults.note(error)

    def outgoing(self, stream: Any, message: Any) -> bool:
        """Take note of what the kernel says; return whether clients may have it.

        Args:
            stream: Where the kernel said it. Of a gateway's message, anything.
            message: Frames, or a gateway's text.
        """
        # The edge of a hook, as above.
        try:
            if isinstance(message, str):
                return self._relayed(message)
            parts = parts_of(message)
            return parts is None or self._said(stream, parts)
        except Exception as error:  # noqa: BLE001
            self._capture.reports.faults.note(error)
            return True

    def kernel_gone(self) -> None:
        """End everything pending: the kernel has died."""
        # The edge of a hook, as above.
        try:
            self._kernel.give_up_all(Status.KERNEL_DIED)
        except Exception as error:  # noqa: BLE001
            self._capture.reports.faults.note(error)

    def leave(self) -> None:
        """Let the client go."""
        # The edge of a hook, as above.
        try:
            self._kernel.leave(self)
        except Exception as error:  # noqa: BLE001
            self._capture.reports.faults.note(error)

    def _is_sent(self, request: ExecuteRequest, message: Any, *, v1: bool) -> bool:
        """Return whether the server hands a request to its kernel: else it never runs.

        A gateway decides for itself; what it takes, it can say to nobody.
        """
        if request.channel not in _RUN_CODE:
            return False
        channels = getattr(self._connection, "channels", None)
        if channels is None:
            return True
        if request.channel not in channels or (v1 and isinstance(message, str)):
            return False
        kernels = self._connection.kernel_manager.parent
        allowed = getattr(kernels, "allowed_message_types", None)
        return not allowed or "execute_request" in allowed

    def _requested(self, request: ExecuteRequest, message: Any, *, v1: bool) -> Any:
        pending = self._kernel.pending.get(request.msg_id)
        # To a gateway that is not reached yet a message comes twice.
        if pending is not None and pending.request is message:
            return message
        if request.silent:
            return self._forward(request, message, {}, v1=v1)
        execution = self._execution(request)
        self._kernel.begin(execution)
        told = self._capture.told(execution)
        execution.request = self._forward(request, message, told, v1=v1)
        return execution.request

    def _forward(
        self,
        request: ExecuteRequest,
        message: Any,
        entries: Mapping[str, Any],
        *,
        v1: bool,
    ) -> Any:
        if not entries and not carries_state(request):
            return message
        return with_metadata(message, entries, subprotocol_v1=v1)

    def _execution(self, request: ExecuteRequest) -> Execution:
        capture, connection = self._capture, self._connection
        name = getattr(connection.kernel_manager, "kernel_name", None)
        return Execution(
            msg_id=request.msg_id,
            requested_ns=capture.reports.now_ns(),
            facts=capture.facts.of_request(connection.kernel_id, name, request),
            attribution=Attribution(
                person=capture.person(connection.websocket_handler),
                span=capture.span(request.metadata),
            ),
            asker=self,
        )

    def _said(self, stream: Any, parts: Sequence[bytes]) -> bool:
        """Take what stands in a kernel's frames."""
        if self._capture.kernel_events is not None:
            content = read_event(parts)
            if content is not None:
                self._listen(content)
                return False
        if self._kernel.pending and is_about_execution(parts):
            # Code in a kernel can easily say to all what looks like a reply.
            is_reply = b'"execute_reply"' in parts[0]
            if not (is_reply and _is_said_to_all(stream)):
                self._told(read_parts(parts))
        return True

    def _relayed(self, message: str) -> bool:
        """Take a gateway's message."""
        if self._capture.kernel_events is not None:
            content = read_relayed_event(message)
            if content is not None:
                self._listen(content)
                return False
        if self._kernel.pending:
            if tells_of_death(message):
                self._kernel.give_up_all(Status.KERNEL_DIED)
            else:
                self._told(read_relayed(message))
        return True

    def _told(self, said: KernelMessage | None) -> None:
        execution = self._kernel.pending.get(said.parent_id) if said else None
        if said is None or execution is None:
            return
        if said.msg_type == "execute_reply":
            self._kernel.reply(execution, said.parsed(), self)
        else:
            self._kernel.hear(execution, said, self)

    def _listen(self, content: bytes) -> None:
        """Hand events on, once for all connections of a kernel that is not watched."""
        kernel, take = self._kernel, self._capture.kernel_events
        if take and kernel.listens(self):
            take(kernel.kernel_id, content)


def _is_said_to_all(stream: Any) -> bool:
    channel = stream if isinstance(stream, str) else getattr(stream, "channel", None)
    return channel == "iopub"


class ExecutionCaptureMixin:
    """Over a kernel WebSocket connection class; see `capturing`."""

    otel_capture: ExecutionCapture

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._otel_watch = ConnectionWatch(self, self.otel_capture)  # type: ignore[arg-type]

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Pass a client's message on to the kernel, with trace context."""
        message = self._otel_watch.incoming(incoming_msg)
        try:
            super().handle_incoming_message(message)  # type: ignore[misc]
        except Exception:
            self._otel_watch.not_sent(message)
            raise

    def handle_outgoing_message(self, *stream_and_message: Any) -> None:
        """Pass a kernel's message on to the client, unchanged; keep what is for us."""
        if self._otel_watch.outgoing(stream_and_message[0], stream_and_message[-1]):
            super().handle_outgoing_message(*stream_and_message)  # type: ignore[misc]

    def on_kernel_restarted(self) -> None:
        """End what the dead kernel was running."""
        self._otel_watch.kernel_gone()
        super().on_kernel_restarted()  # type: ignore[misc]

    def on_restart_failed(self) -> None:
        """End what the dead kernel was running."""
        self._otel_watch.kernel_gone()
        super().on_restart_failed()  # type: ignore[misc]

    def disconnect(self) -> Any:
        """Let go of what nobody listens to any more."""
        self._otel_watch.leave()
        return super().disconnect()  # type: ignore[misc]


def capturing(base: type, capture: ExecutionCapture) -> type:
    """Return a subclass of a kernel WebSocket connection class that captures."""
    return derive(ExecutionCaptureMixin, base, otel_capture=capture)
