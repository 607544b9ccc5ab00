import json
import sys
import threading

import pytest
from ipykernel.inprocess.blocking import BlockingInProcessKernelClient

from jupyter_otel_kernel import channel

LISTENS = {"listens": True}
SCHEMA = "https://example.org/opened/v1"


@pytest.fixture
def inbox(kernel):
    """Return what returns the next message of ours that a client gets."""
    client = BlockingInProcessKernelClient(kernel=kernel, session=kernel.session)
    kernel.frontends.append(client)
    client.iopub_channel.start()

    def inbox():
        while True:
            message = client.iopub_channel.get_msg(timeout=10)
            if message["header"]["msg_type"] == "jupyter_otel_event":
                return message

    yield inbox
    kernel.frontends.remove(client)


def emit(code, head="from jupyter_otel_kernel.channel import emit\n"):
    return f"{head}told = {code}"


def hold(iopub_thread):
    """Hold it up; return what lets it go."""
    held, released = threading.Event(), threading.Event()
    iopub_thread.schedule(lambda: (held.set(), released.wait()))
    held.wait()
    return released


def test_events_of_a_cell_come_at_its_end_in_one_message(run, inbox):
    code = f"[emit({SCHEMA!r}, {{'n': n}}) for n in range(3)]"
    told = run(emit(code), jupyter_otel=LISTENS)["told"]

    message = inbox()
    content = message["content"]
    assert told == [True, True, True]
    assert message["parent_header"]["msg_type"] == "kernel_info_request"
    assert (content["sequence"], content["lost"]) == (0, 0)
    assert [(e["schema_id"], e["data"]) for e in content["events"]] == [
        (SCHEMA, {"n": n}) for n in range(3)
    ]
    (msg_id,) = {event["msg_id"] for event in content["events"]}
    assert msg_id.startswith("cell-")


@pytest.mark.parametrize(
    "listens", [{}, {"jupyter_otel": {"listens": False}}, {"jupyter_otel": "yes"}]
)
def test_nothing_is_queued_for_nobody(run, listens):
    assert run(emit(f"emit({SCHEMA!r}, {{}})"), **listens)["told"] is False


def test_without_the_extension_nothing_is_queued(kernel):
    assert channel.emit(SCHEMA, {}) is False


def messages(inbox, events):
    """Return the contents of the messages that bring so many events, in order."""
    contents = []
    while sum(len(content["events"]) for content in contents) < events:
        contents.append(inbox()["content"])
    return contents


def test_a_message_has_a_hundred_events_at_most_and_each_its_number(run, inbox):
    run(emit(f"[emit({SCHEMA!r}, {{}}) for _ in range(250)]"), jupyter_otel=LISTENS)

    contents = messages(inbox, 250)
    assert max(len(content["events"]) for content in contents) == 100
    numbers = [content["sequence"] for content in contents]
    assert numbers == list(range(len(contents)))
    assert len({content["channel"] for content in contents}) == 1


def test_a_message_is_not_larger_than_the_server_expects(run, inbox):
    data = "{'a': 'x' * 4000, 'b': 'y' * 4000}"
    run(emit(f"[emit({SCHEMA!r}, {data}) for _ in range(20)]"), jupyter_otel=LISTENS)

    contents = messages(inbox, 20)
    assert max(len(json.dumps(content)) for content in contents) < 70_000


def test_what_is_too_large_is_counted_as_lost_in_the_next_message(run, inbox):
    huge = "{str(n): 'x' * 4000 for n in range(9)}"
    told = run(
        emit(f"[emit({SCHEMA!r}, {huge}), emit({SCHEMA!r}, {{}})]"),
        jupyter_otel=LISTENS,
    )["told"]

    content = inbox()["content"]
    assert told == [False, True]
    assert (content["lost"], len(content["events"])) == (1, 1)


def test_what_the_queue_cannot_hold_is_lost_and_counted(run, inbox, kernel):
    sending = hold(kernel.iopub_thread)
    room = channel.MAX_QUEUED
    code = f"[emit({SCHEMA!r}, {{}}) for _ in range({room + 5})]"
    told = run(emit(code), jupyter_otel=LISTENS)["told"]
    sending.set()

    assert told == [True] * room + [False] * 5
    came = lost = 0
    while came < room:
        content = inbox()["content"]
        came += len(content["events"])
        lost += content["lost"]
    assert (came, lost) == (room, 5)


FULL = f"""
import zmq
told = [emit({SCHEMA!r}, {{}}) for _ in range(100)]
try:
    while True:
        iopub._event_pipe.send(b"", zmq.NOBLOCK)
except zmq.Again:
    pass
told += [emit({SCHEMA!r}, {{}}) for _ in range(100)]
"""


def test_emit_does_not_wait_for_an_iopub_thread_that_is_behind(run, inbox, kernel):
    """Whoever sends has to wait for it: the queue of its wake-ups is full."""
    iopub = kernel.iopub_thread
    sending = hold(iopub)
    kernel.shell.user_ns.update(iopub=iopub, sending=sending)
    told = run(emit("None") + FULL + "sending.set()", jupyter_otel=LISTENS)["told"]

    assert told == [True] * 200
    assert len(messages(inbox, 200)) >= 2


def test_a_cells_end_that_waits_for_the_iopub_thread_does_not_hold_it_up(
    run, inbox, kernel
):
    iopub = kernel.iopub_thread
    sending = hold(iopub)
    kernel.shell.user_ns.update(iopub=iopub)
    late = threading.Timer(0.2, sending.set)
    late.start()
    run(emit("None") + FULL, jupyter_otel=LISTENS)
    late.join()

    assert len(messages(inbox, 200)) >= 2


def test_an_event_names_the_span_that_it_was_emitted_in(run, inbox):
    trace_id, parent_id, own_id = "1" * 32, "2" * 16, "3" * 16
    code = f"""
from opentelemetry.trace import use_span
from jupyter_otel_kernel.current_span import RemoteSpan
with use_span(RemoteSpan("00-{trace_id}-{own_id}-01")):
    emit({SCHEMA!r}, {{}})
emit({SCHEMA!r}, {{}})"""
    traceparent = f"00-{trace_id}-{parent_id}-01"
    run(emit("None") + code, jupyter_otel=LISTENS, traceparent=traceparent)

    events = inbox()["content"]["events"]
    assert [event["traceparent"] for event in events] == [
        f"00-{trace_id}-{own_id}-01",
        traceparent,
    ]


def test_a_thread_that_got_the_context_belongs_to_its_cell(run, inbox):
    code = """
from contextvars import copy_context
from threading import Thread
told = Thread(target=copy_context().run, args=(emit, "told", {}))
told.start()
told.join()"""
    run(emit("None") + code, jupyter_otel=LISTENS)
    (event,) = inbox()["content"]["events"]
    assert event["msg_id"].startswith("cell-")


@pytest.mark.skipif(
    getattr(sys.flags, "thread_inherit_context", 0), reason="threads get the context"
)
def test_a_thread_that_another_cell_s_thread_starts_is_not_the_running_cell_s(
    run, inbox
):
    waits = """
from threading import Event, Thread
go = Event()
def late():
    go.wait()
    inner = Thread(target=emit, args=("late", {}))
    inner.start()
    inner.join()
told = Thread(target=late)
told.start()"""
    run(emit("None") + waits, jupyter_otel=LISTENS)
    run("go.set()\ntold.join()", jupyter_otel=LISTENS)
    (event,) = inbox()["content"]["events"]
    assert event["msg_id"] == ""


def test_what_a_background_task_emits_after_its_cell_belongs_to_it(run, inbox):
    """Such a task keeps the context in which it was made."""
    code = """
import contextvars
told = contextvars.copy_context()"""
    run(emit("None") + code, jupyter_otel=LISTENS)
    run("told.run(emit, 'late', {})", jupyter_otel=LISTENS)
    run("emit('now', {})", jupyter_otel=LISTENS)
    first, second = (inbox()["content"]["events"][0] for _ in range(2))
    numbers = [int(event["msg_id"].split("-")[1]) for event in (first, second)]
    assert numbers[1] - numbers[0] == 2
