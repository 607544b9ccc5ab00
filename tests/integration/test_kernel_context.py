"""Spans of a user's own plain OpenTelemetry SDK, as children of their executions.

The cells set the SDK up as its documentation says and export to a receiver of the
test's; the executions are read from what the server exports.
"""

import pytest
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import HttpReceiver

SETUP = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

trace.set_tracer_provider(TracerProvider())
exporter = OTLPSpanExporter(endpoint={endpoint!r})
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))

import asyncio, contextvars, os, threading, time
from IPython import get_ipython

def work(name):
    with trace.get_tracer("user").start_as_current_span(name):
        pass
"""
CELLS = {
    "sync": "work('sync')",
    "await": "await asyncio.sleep(0)\nwork('await')",
    "task": """
async def later():
    await released.wait()
    work('task')
released = asyncio.Event()
task = asyncio.create_task(later())""",
    "another": "released.set()\nawait task\nwork('another')",
    "to_thread": "await asyncio.to_thread(work, 'to_thread')",
    "thread": """
target = contextvars.copy_context().run
thread = threading.Thread(target=target, args=(work, 'thread'))
thread.start()
thread.join()""",
    "fork": """
child = os.fork()
if child == 0:
    work('fork')
    os._exit(0)
status = os.waitpid(child, 0)""",
    "nested": """
with trace.get_tracer("user").start_as_current_span("outer"):
    result = get_ipython().run_cell("work('nested')")""",
    "after nested": "work('after nested')",
    "error": "try:\n    get_ipython().run_cell('1/')\nfinally:\n    work('error')",
    "autoreload": "%load_ext autoreload\n%autoreload 2\nwork('autoreload')",
    "reload": "%reload_ext jupyter_otel_kernel\nwork('reload')",
}


class Notebook:
    """A kernel with the user's SDK in it, a client, and what both have exported."""

    def __init__(self, server, client, receiver, wait_until):
        self.server, self.client, self.wait_until = server, client, wait_until
        self.inbox = receiver.inbox
        self.setup = SETUP.format(endpoint=receiver.endpoint(Signal.TRACES))
        self.run("setup", self.setup)

    def run(self, cell, code):
        """Run a cell; return what it printed."""
        return self.client.run(code, {"cellId": cell.replace(" ", "-")})

    def execution(self, cell):
        """Return the ids of trace and span of a cell's execution."""
        attributes = {
            "jupyter.kernel.id": self.client.kernel_id,
            "jupyter.cell.id": cell.replace(" ", "-"),
        }
        (span,) = self.wait_until(lambda: self.server.spans("execute", **attributes))
        return span.raw["traceId"], span.raw["spanId"]

    def parents(self):
        """Return the ids of trace and parent of the user's spans, by name."""
        return {
            span.name: (span.trace_id.hex(), span.parent_span_id.hex())
            for span in self.inbox.records(Signal.TRACES)
        }


@pytest.fixture
def notebook(server, connect, wait_until):
    kernel_id = server.start_kernel()
    with HttpReceiver() as receiver:
        yield Notebook(server, connect(server, kernel_id), receiver, wait_until)
        server.request("DELETE", f"api/kernels/{kernel_id}")


def test_a_users_span_is_a_child_of_the_execution_that_it_belongs_to(notebook):
    printed = [notebook.run(cell, code) for cell, code in CELLS.items()]

    parents = notebook.parents()
    outer = parents.pop("outer")
    nested = parents.pop("nested")
    executions = {cell: notebook.execution(cell) for cell in CELLS if cell != "nested"}
    assert "".join(printed) == ""
    assert parents == executions
    assert outer == notebook.execution("nested")
    assert nested[0] == outer[0]
    assert nested[1] != outer[1]


def send(client, channel, msg_type, content, metadata=None, **header):
    """Send any message; return its id."""
    message = client.session.msg(msg_type, content, metadata=metadata)
    message["header"].update(header)
    names = ("header", "parent_header", "metadata", "content")
    parts = [client.session.pack(message[name]) for name in names]
    client.socket.send_binary(serialize_msg_to_ws_v1(parts, channel))
    return message["msg_id"]


def test_a_subshell_beside_a_running_cell_has_its_own_execution(notebook):
    client = notebook.client
    asked = send(client, "control", "create_subshell_request", {})
    seen = client.wait_for(asked, lambda kind, _: kind == "create_subshell_reply")
    subshell_id = seen[-1][1]["subshell_id"]
    waits = "done = threading.Event()\ndone.wait(30)\nwork('main')"
    main = client.send(waits, {"cellId": "main"})
    client.await_busy(main)

    beside = send(
        client,
        "shell",
        "execute_request",
        {"code": "work('subshell')\ndone.set()", "silent": False},
        {"cellId": "subshell"},
        subshell_id=subshell_id,
    )
    waited = {beside, main}
    while waited:
        kind, parent_id, _ = client.receive()
        waited -= {parent_id} if kind == "execute_reply" else set()

    expected = {cell: notebook.execution(cell) for cell in ("main", "subshell")}
    assert notebook.parents() == expected


def test_without_its_context_a_thread_begins_a_trace_of_its_own(notebook):
    notebook.run("thread", "thread = threading.Thread(target=work, args=('thread',))")
    notebook.run("start", "thread.start()\nthread.join()\nwork('beside')")

    inherits = notebook.run(
        "flag", "import sys\nprint(getattr(sys.flags, 'thread_inherit_context', 0))"
    )
    parents = notebook.parents()
    assert parents["beside"] == notebook.execution("start")
    if "1" in inherits:
        assert parents["thread"] == notebook.execution("start")
    else:
        assert parents["thread"][1] == ""


@pytest.mark.parametrize(
    "wait", ["time.sleep(60)", "for _ in range(3000):\n    await asyncio.sleep(0.02)"]
)
def test_after_an_interrupt_the_next_cell_is_not_the_interrupted_one(notebook, wait):
    client = notebook.client
    wait = f"work('before')\nprint('waits', flush=True)\n{wait}"
    # Or a kernel that is quick to be asked again answers that it aborts.
    running = client.send(wait, {"cellId": "interrupted"}, stop_on_error=False)
    client.wait_for(running, lambda kind, _: kind == "stream")
    notebook.server.request("POST", f"api/kernels/{client.kernel_id}/interrupt")
    assert client.await_reply(running)[0]["status"] == "error"

    notebook.run("next", "work('next')")

    assert notebook.parents() == {
        "before": notebook.execution("interrupted"),
        "next": notebook.execution("next"),
    }


def test_after_a_restart_and_after_a_reset(notebook, connect):
    kernel_id = notebook.client.kernel_id
    notebook.server.request("POST", f"api/kernels/{kernel_id}/restart")
    notebook.client = connect(notebook.server, kernel_id)

    notebook.run("restarted", f"{notebook.setup}\nwork('restarted')")
    again = "from opentelemetry import trace\n"
    again += "trace.get_tracer('user').start_span('reset').end()"
    notebook.run("reset", f"%reset -f\n{again}")

    expected = {cell: notebook.execution(cell) for cell in ("restarted", "reset")}
    assert notebook.parents() == expected


def test_a_kernel_is_left_alone_where_it_is_switched_off(start_server, connect):
    server = start_server(environ={"JUPYTER_OTEL_KERNEL": "off"})
    client = connect(server, server.start_kernel())
    code = "import sys\nprint([m for m in sys.modules if m.startswith('jupyter_otel')])"

    assert client.run(code) == "[]\n"
    assert client.run("%who") == "sys\t \n"
    server.end()
