"""Kernel events from everywhere in a real kernel, as a client of it gets them."""

import os
import warnings

import pytest
from jupyter_client.manager import KernelManager

SETUP = """
import asyncio, contextvars, os, threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from jupyter_otel_kernel.channel import emit
"""
LISTENS = {"jupyter_otel": {"listens": True}}


class Client:
    """A client of one kernel, without a server between; it keeps our messages."""

    def __init__(self, kernel):
        self._kernel = kernel
        self.messages = []

    def run(self, code, metadata=LISTENS):
        """Run code to its end; return its message id. It must say nothing."""
        content = {"code": code, "silent": False, "allow_stdin": False}
        message = self._kernel.session.msg(
            "execute_request", content, metadata=metadata
        )
        self._kernel.shell_channel.send(message)
        msg_id, said = message["header"]["msg_id"], []
        while {"execution_state": "idle"} not in said:
            got = self._next()
            said += [got["content"]] if got["parent_header"]["msg_id"] == msg_id else []
        assert [kind for kind in said if "name" in kind or "ename" in kind] == []
        return msg_id

    def _next(self):
        got = self._kernel.get_iopub_msg(timeout=60)
        if got["msg_type"] == "jupyter_otel_event":
            self.messages.append(got)
        return got

    def events(self, count):
        """Wait for so many events; return them by schema id, and forget them."""
        while sum(len(got["content"]["events"]) for got in self.messages) < count:
            self._next()
        found = {
            event["schema_id"]: {"channel": got["content"]["channel"], **event}
            for got in self.messages
            for event in got["content"]["events"]
        }
        self.messages.clear()
        return found


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    manager = KernelManager(kernel_name="python3")
    with warnings.catch_warnings(action="ignore"):  # how it speaks of encryption
        manager.start_kernel(
            env={**os.environ, "IPYTHONDIR": str(tmp_path_factory.mktemp("ipython"))}
        )
    kernel = manager.client()
    kernel.start_channels()
    kernel.wait_for_ready(timeout=60)
    client = Client(kernel)
    client.run(SETUP)
    yield client
    kernel.stop_channels()
    manager.shutdown_kernel(now=True)


def test_events_name_the_cell_that_they_belong_to_wherever_they_arise(client):
    task = """
async def later():
    await go.wait()
    emit("task", {})
go = asyncio.Event()
task = asyncio.create_task(later())"""
    began = client.run(task)
    cells = {
        "sync": client.run("emitted = emit('sync', {})"),
        "await": client.run("await asyncio.sleep(0)\nemitted = emit('await', {})"),
        "thread": client.run(
            "run = contextvars.copy_context().run\n"
            "thread = threading.Thread(target=run, args=(emit, 'thread', {}))\n"
            "thread.start()\nthread.join()"
        ),
        "to_thread": client.run(
            "emitted = await asyncio.to_thread(emit, 'to_thread', {})"
        ),
    }
    client.run("go.set()\nawait task")

    found = client.events(5)
    assert {name: event["msg_id"] for name, event in found.items()} == {
        "task": began,
        **cells,
    }
    assert len({event["channel"] for event in found.values()}) == 1


def test_children_report_in_channels_of_their_own(client):
    cell = client.run(
        """
child = os.fork()
if child == 0:
    emit("fork", {})
    os._exit(0)
status = os.waitpid(child, 0)
with ProcessPoolExecutor(1, get_context("fork")) as pool:
    for name in ("first", "second", "third"):  # the later ones wait for its exit
        emitted = pool.submit(emit, name, {}).result()
emitted = emit("parent", {})"""
    )

    found = client.events(5)
    assert {event["msg_id"] for event in found.values()} == {cell}
    assert found["first"]["channel"] == found["third"]["channel"]
    assert len({event["channel"] for event in found.values()}) == 3


def test_while_nobody_listens_nothing_is_sent(client):
    client.run("emitted = emit('unheard', {})", metadata={})
    client.run("assert not emitted")
    client.run("emitted = emit('heard', {})")
    assert list(client.events(1)) == ["heard"]


def test_what_is_emitted_between_cells_does_not_wait_for_the_next(client):
    client.run(
        """
async def later():
    await asyncio.sleep(0.1)
    emit("first", {})
    emit("second", {})
task = asyncio.create_task(later())"""
    )
    assert list(client.events(2)) == ["first", "second"]
