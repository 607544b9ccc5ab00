# ruff: noqa: D102 - the methods of test doubles are documented where they are real
"""A kernel connection under capture, without a server, a kernel or a clock."""

import json
from operator import itemgetter
from types import SimpleNamespace

from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from jupyter_otel.event import Person, SpanContext
from jupyter_otel.sources.execution_facts import ExecutionFacts
from jupyter_otel.sources.execution_reports import ExecutionReports
from jupyter_otel.sources.found_executions import FoundExecutions
from jupyter_otel.sources.iopub_watch import IopubWatch
from jupyter_otel.sources.kernel_executions import RunningExecutions
from jupyter_otel.sources.kernel_messages import ExecutionCapture, capturing

ACCOUNT = Person("account", None)
SESSION = Session(username="ann")
MS = 1_000_000
FIRST = (1).to_bytes(8, "big")
CLIENT = SpanContext(bytes([1] * 16), bytes([2] * 8))
STATE = {"tracestate": "a=b", "baggage": "c=d"}


class Clock:
    """A clock that tests move, and the timers that hang on it."""

    def __init__(self) -> None:
        self.ns = 1_000 * MS
        self.timers = []

    def call_later(self, delay_s, call):
        timer = (delay_s, call)
        self.timers.append(timer)
        return lambda: timer in self.timers and self.timers.remove(timer)

    def fire(self):
        """Let all timers come, each in its time."""
        timers, self.timers = sorted(self.timers, key=itemgetter(0)), []
        began_ns = self.ns
        for delay_s, call in timers:
            self.ns = max(self.ns, began_ns + int(delay_s * 1e9))
            call()


class NumberedSpans:
    """Spans whose ids count up."""

    def __init__(self) -> None:
        self.count = 0

    def read_parent(self, carrier):
        return CLIENT if carrier.get("traceparent") == "client" else None

    def start(self, parent, name):
        assert name == "execute"
        self.count += 1
        own = self.count.to_bytes(8, "big")
        if parent is None:
            return SpanContext(bytes([9] * 16), own)
        return SpanContext(parent.trace_id, own, parent.span_id)

    def headers(self, span):
        return {"traceparent": f"span {span.span_id[-1]}"}


class PlainConnection:
    """What stands in the place of jupyter_server's own connection class."""

    def __init__(self) -> None:
        self.kernel_id = "k1"
        self.kernel_manager = SimpleNamespace(kernel_name="python3")
        self.websocket_handler = "handler of ann"
        self.to_kernel, self.to_client, self.calls = [], [], []

    def handle_incoming_message(self, message):
        self.to_kernel.append(message)

    def handle_outgoing_message(self, stream, frames):
        self.to_client.append((stream, frames))

    def on_kernel_restarted(self):
        self.calls.append("restarted")

    def on_restart_failed(self):
        self.calls.append("restart failed")

    def disconnect(self):
        self.calls.append("disconnected")
        return "done"


class Rig:
    """One captured connection and everything around it."""

    def __init__(
        self,
        intake,
        schema,
        base=PlainConnection,
        takes_code=True,
        heartbeat_s=0,
        is_stopping=lambda _kernel_id: False,
        **changes,
    ) -> None:
        self.clock, self.intake = Clock(), intake
        self.reports = ExecutionReports(
            intake=intake,
            schema=schema,
            call_later=self.clock.call_later,
            heartbeat_s=heartbeat_s,
            now_ns=lambda: self.clock.ns,
            monotonic=lambda: self.clock.ns / 1e9,
        )
        self.running = RunningExecutions(self.reports, is_stopping)
        self.capture = ExecutionCapture(
            **{
                "running": self.running,
                "facts": ExecutionFacts(
                    takes_code=takes_code,
                    notebook_path={"k1": "a/b.ipynb"}.get,
                ),
                "spans": NumberedSpans(),
                "person": lambda handler: Person("server", handler),
                **changes,
            }
        )
        self.connection = capturing(base, self.capture)()

    def ask(self, code="1 + 1", metadata=None, **content):
        msg = SESSION.msg(
            "execute_request",
            {"code": code, "silent": False, **content},
            metadata={"cellId": "c1"} if metadata is None else metadata,
        )
        self.connection.handle_incoming_message(as_v1(msg))
        return msg

    def say(self, parent, kind, content, at_ms=None, channel="iopub"):
        self.clock.ns = self.clock.ns if at_ms is None else at_ms * MS
        frames = SESSION.serialize(SESSION.msg(kind, content, parent=parent))
        self.connection.handle_outgoing_message(channel, frames)
        return frames

    def state(self, parent, state, at_ms=None):
        self.say(parent, "status", {"execution_state": state}, at_ms)

    def reply(self, parent, content=None, at_ms=None):
        content = content or {"status": "ok", "execution_count": 1}
        self.say(parent, "execute_reply", content, at_ms, channel="shell")

    @property
    def forwarded_metadata(self):
        _, parts = deserialize_msg_from_ws_v1(self.connection.to_kernel[-1])
        return json.loads(parts[2])


class WatchedRig(Rig):
    """A rig whose kernel is watched, too; the watch has heard it already."""

    def __init__(self, intake, schema, finds=True, events=None, **changes) -> None:
        super().__init__(intake, schema, **changes)
        self.kernel = self.running.of("k1")
        facts = ExecutionFacts(takes_code=True, notebook_path={"k1": "a/b.ipynb"}.get)
        find = FoundExecutions(
            facts=facts,
            spans=NumberedSpans(),
            person=ACCOUNT,
            kernel_name=lambda _kernel_id: "python3",
            now_ns=self.reports.now_ns,
        )
        self.watch = IopubWatch(
            self.kernel, self.reports, find if finds else None, events
        )
        self.watch.take([])

    def heard(self, parent, kind, content, at_ms=None):
        """The watch hears what the kernel says to all."""
        self.clock.ns = self.clock.ns if at_ms is None else at_ms * MS
        frames = SESSION.serialize(SESSION.msg(kind, content, parent=parent))
        self.watch.take([b"topic", *frames])

    def ran(self, request, *, raises=None):
        """The watch hears a whole execution."""
        self.heard(request, "status", {"execution_state": "busy"})
        self.heard(request, "execute_input", {"code": "1 + 1", "execution_count": 7})
        if raises is not None:
            self.heard(request, "error", {"ename": raises, "evalue": "secret"})
        self.heard(request, "status", {"execution_state": "idle"})

    @property
    def phases(self):
        """Where each event stands that was reported."""
        return [(e["phase"], e.get("status")) for e in self.intake.data]


def as_v1(msg):
    names = ("header", "parent_header", "metadata", "content")
    return serialize_msg_to_ws_v1([SESSION.pack(msg[name]) for name in names], "shell")
