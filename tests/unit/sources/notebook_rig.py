# ruff: noqa: D102 - what the helpers of tests do is in their names
"""A client of nbclient's whose kernel is only said to be there."""

import asyncio
from types import SimpleNamespace

from jupyter_client.session import Session
from nbclient import NotebookClient
from nbclient.util import run_hook
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Configurable

from jupyter_otel.event import SpanContext

RUN, EXECUTION = "run", "execution"
OK = {"status": "ok", "execution_count": 1}
PARENT = SpanContext(b"t" * 16, b"p" * 8)


class Client(NotebookClient):
    """A client whose kernel's answers the test makes up."""

    def __init__(self, cells=("1",), **traits):
        notebook = new_notebook(
            cells=[
                cell if isinstance(cell, dict) else new_code_cell(cell, id=f"c{n}")
                for n, cell in enumerate(cells)
            ]
        )
        super().__init__(notebook, kernel_name="python3", **traits)
        self.km = SimpleNamespace(session=Session(), kernel_id="k1")
        self.manager = self.km.session.parent = Configurable()
        self.kc = SimpleNamespace(session=Session(metadata={"mine": 1}))

    def call(self, hook, **about):
        async def called(self):
            await run_hook(getattr(self, hook), **about)

        asyncio.run(called(self))

    def start(self):
        self.call("on_notebook_start", notebook=self.nb)
        return self

    def send(self, index=0):
        """Send a cell as nbclient does; return the metadata that go with it."""
        cell = self.nb.cells[index]
        self.call("on_cell_execute", cell=cell, cell_index=index)
        sent = self.kc.session.msg("execute_request")["metadata"]
        self.call("on_cell_complete", cell=cell, cell_index=index)
        return sent

    def answer(self, content, index=0):
        cell = self.nb.cells[index]
        reply = {"content": content}
        self.call("on_cell_executed", cell=cell, cell_index=index, execute_reply=reply)

    def run(self, content, index=0):
        self.send(index)
        self.answer(content, index)

    def end(self):
        """Clean up as the kernel's manager does."""
        self.km.session.parent = None


class Spans:
    """Spans that are numbered."""

    def __init__(self):
        self.count = 0

    def start(self, parent, name):
        self.count += 1
        number = bytes([self.count]) * 8
        return SpanContext(parent.trace_id, number, parent.span_id)

    def headers(self, span):
        return {"traceparent": span.span_id.hex()}


class Clock:
    """Time that stands still, and what waits for it."""

    def __init__(self):
        self.now_ns = 0
        self.waiting = []

    def call_later(self, delay_s, call):
        """Keep a call; return what takes it back."""
        self.waiting.append((delay_s, call))
        return lambda: self.waiting.remove((delay_s, call))


def told(intake):
    """Return what was handed in, as schema, phase and status."""
    return [
        (taken.schema, taken.data["phase"], taken.data.get("status"))
        for taken in intake.taken
    ]


def error(name, value="x"):
    return {"status": "error", "ename": name, "evalue": value}
