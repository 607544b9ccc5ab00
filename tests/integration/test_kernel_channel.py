"""Kernel events from everywhere in a real kernel, as a client of it gets them."""

import pytest

from tests.integration.bare_kernel import running_kernel

SETUP = """
import asyncio, contextvars, os, threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from jupyter_otel_kernel.channel import emit
"""
LISTENS = {"jupyter_otel": {"listens": True}}


class Client:
    """Runs code in a kernel that must say nothing, and keeps our messages."""

    def __init__(self, kernel):
        self._kernel = kernel

    def run(self, code, metadata=LISTENS):
        """Run code to its end; return its message id. It must say nothing."""
        msg_id, said = self._kernel.run(code, metadata)
        kinds = {message["msg_type"] for message in said}
        assert kinds == {"status", "execute_input"}
        return msg_id

    def events(self, count):
        """Wait for so many events; return them by schema id, and forget them."""
        while sum(len(got["events"]) for got in self._contents()) < count:
            self._kernel.take()
        found = {
            event["schema_id"]: {"channel": got["channel"], **event}
            for got in self._contents()
            for event in got["events"]
        }
        self._kernel.taken.clear()
        return found

    def _contents(self):
        return [
            message["content"]
            for message in self._kernel.taken
            if message["msg_type"] == "jupyter_otel_event"
        ]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with running_kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        client = Client(kernel)
        client.run(SETUP)
        yield client


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


def test_where_opentelemetry_is_not_imported_an_event_names_its_cells_span(client):
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.run(
        "import sys\nemitted = emit(str('opentelemetry' in sys.modules), {})",
        {**LISTENS, "traceparent": traceparent},
    )
    [(was_imported, event)] = client.events(1).items()
    assert (was_imported, event["traceparent"]) == ("False", traceparent)
