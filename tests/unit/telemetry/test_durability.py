import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from tests.unit.telemetry.conftest import SCHEMA

RUN = SCHEMA["$id"]
NOWHERE = "http://127.0.0.1:9"


def sent_tools(receiver):
    return sorted(
        pair.value.string_value
        for record in receiver.inbox.records(Signal.LOGS)
        for pair in record.attributes
        if pair.key == "jupyter.event.tool"
    )


def spool_files(config):
    folder = config.OtelSpool.directory
    return os.listdir(folder) if os.path.isdir(folder) else []  # noqa: PTH112, PTH208


def test_what_could_not_be_sent_is_sent_by_the_next_process(config, open_telemetry):
    config.OtelExport.endpoint = NOWHERE
    first = open_telemetry(config)
    assert first.emit(schema_id=RUN, data={"tool": "kept"})
    first.close(timeout_s=0.3)
    assert first.tally().logs.pending == 1

    with HttpReceiver() as receiver:
        config.OtelExport.endpoint = receiver.url
        second = open_telemetry(config)
        assert second.flush()
        found, tally = sent_tools(receiver), second.tally().logs

    assert found == ["kept"]
    assert (tally.accepted, tally.sent, tally.pending) == (1, 1, 0)


def test_in_memory_what_is_left_at_the_end_is_a_counted_drop(config, open_telemetry):
    config.OtelExport.endpoint = NOWHERE
    config.OtelSpool.durability = "memory"
    telemetry = open_telemetry(config)

    telemetry.emit(schema_id=RUN, data={"tool": "gone"})
    telemetry.close(timeout_s=0.3)

    tally = telemetry.tally().logs
    assert (tally.pending, tally.dropped) == (0, {"shutdown": 1})
    assert spool_files(config) == []


def test_a_spool_of_no_size_is_memory(config, open_telemetry):
    config.OtelExport.endpoint = NOWHERE
    config.OtelSpool.max_mib = 0
    telemetry = open_telemetry(config)

    assert telemetry.emit(schema_id=RUN, data={"tool": "x"})

    assert spool_files(config) == []


def test_a_collector_that_comes_back_gets_everything(config, open_telemetry):
    with HttpReceiver([Answer(503), Answer(503)]) as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        tools = [f"t{number:03}" for number in range(100)]
        for tool in tools:
            telemetry.emit(schema_id=RUN, data={"tool": tool})
        telemetry.flush(0.5)
        assert telemetry.flush(10)
        found = sent_tools(receiver)

    assert found == tools


def test_a_rejected_record_is_a_counted_drop(config, open_telemetry):
    with HttpReceiver(then=Answer(400)) as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        telemetry.emit(schema_id=RUN, data={"tool": "x"})
        assert telemetry.flush()

    assert telemetry.tally().logs.dropped == {"rejected": 1}
    assert "400" in telemetry.status()["last_error"]["logs"]


CRASH = """
    import os, signal, sys, time
    from traitlets.config import Config
    from jupyter_otel.telemetry import Telemetry

    config = Config({config!r})
    telemetry = Telemetry(config)
    telemetry.register_schema({schema!r})
    for number in range(20):
        accepted = telemetry.emit(schema_id={run!r}, data={{"tool": f"t{{number:02}}"}})
        assert accepted
    time.sleep({wait_s})
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("durability", "wait_s"), [("sync", 0.0), ("batched", 0.4)])
def test_a_killed_process_loses_nothing_that_was_due_on_disk(
    config, open_telemetry, durability, wait_s
):
    config.OtelExport.endpoint = NOWHERE
    config.OtelSpool.durability = durability
    plain = {name: dict(section) for name, section in config.items()}
    script = textwrap.dedent(CRASH).format(
        config=plain, schema=SCHEMA, run=RUN, wait_s=wait_s
    )
    crashed = subprocess.run([sys.executable, "-c", script], check=False, timeout=30)
    assert crashed.returncode == -signal.SIGKILL

    with HttpReceiver() as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        assert telemetry.flush(10)
        found = sent_tools(receiver)

    assert found == [f"t{number:02}" for number in range(20)]


def _emit_in_child(telemetry, results):
    results.put(telemetry.emit(schema_id=RUN, data={"tool": "child"}))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_inert_and_the_parent_goes_on(
    config, receiver, open_telemetry
):
    telemetry = open_telemetry(config)
    telemetry.emit(schema_id=RUN, data={"tool": "before"})
    context = multiprocessing.get_context("fork")
    results = context.Queue()

    child = context.Process(target=_emit_in_child, args=(telemetry, results))
    child.start()
    taken = results.get(timeout=10)
    child.join(10)
    telemetry.emit(schema_id=RUN, data={"tool": "after"})
    telemetry.flush()

    assert (taken, child.exitcode) == (False, 0)
    assert sent_tools(receiver) == ["after", "before"]


def test_at_exit_what_is_queued_is_sent(config, receiver):
    plain = {name: dict(section) for name, section in config.items()}
    script = textwrap.dedent(CRASH.replace("os.kill(os.getpid(), signal.SIGKILL)", ""))
    script = script.format(config=plain, schema=SCHEMA, run=RUN, wait_s=0)

    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)

    assert len(sent_tools(receiver)) == 20


def test_closing_with_a_receiver_that_hangs_is_bounded(config, open_telemetry):
    import threading  # noqa: PLC0415

    never = threading.Event()
    with HttpReceiver(then=Answer(wait_for=never)) as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        telemetry.emit(schema_id=RUN, data={"tool": "x"})
        receiver.inbox.wait_for_requests(1)
        began_s = time.monotonic()
        telemetry.close(timeout_s=0.5)
        took_s = time.monotonic() - began_s
        never.set()

    assert took_s < 5  # the receiver would have held it for its 10 s
