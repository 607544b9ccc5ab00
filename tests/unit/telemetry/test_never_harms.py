"""What a producer or the host's logging may do: no exception, no wait, sound books."""

import logging
import signal
import sys
import threading
from collections import UserDict
from contextlib import contextmanager
from datetime import datetime, tzinfo
from types import MappingProxyType

import pytest
from jupyter_events import EventLogger

from jupyter_otel.tally import Signal
from tests.unit.telemetry.conftest import SCHEMA

RUN = SCHEMA["$id"]
LOG = logging.getLogger("jupyter_otel")


@contextmanager
def logging_to(emit):
    """Let a handler of the host's logging do something at each record."""
    handler = logging.Handler()
    handler.emit = emit
    LOG.addHandler(handler)
    yield
    LOG.removeHandler(handler)


def fail(*_):
    raise LookupError


class FailingZone(tzinfo):
    """A zone that raises whatever it is asked."""

    utcoffset = fail


class Unhashable(str):
    """Text that cannot be looked up."""

    __slots__ = ()
    __hash__ = None


def balanced(logs):
    ends = logs.sent + logs.aggregated + sum(logs.dropped.values())
    return logs.pending == 0 and logs.accepted == ends


def test_logging_that_raises_costs_no_event_and_no_thread(
    config, receiver, open_telemetry
):
    telemetry = open_telemetry(config)

    with logging_to(fail):
        taken = [
            telemetry.emit(schema_id=RUN, data={"tool": "x"} if n != 3 else {})
            for n in range(10)
        ]
        too_large = telemetry.emit(schema_id=RUN, data={"tool": "x" * 17 * 2**20})
        assert telemetry.flush()

    assert (taken, too_large) == ([True] * 10, False)
    logs = telemetry.tally().logs
    assert (logs.sent, logs.dropped) == (9, {"invalid": 1, "too_large": 1})


def test_logging_that_emits_does_not_wait_for_itself(config, receiver, open_telemetry):
    config.OtelSpool.durability = "sync"
    config.OtelSpool.sync_timeout_s = 600.0
    telemetry = open_telemetry(config)
    threads, seen = [], []

    def emit(_record):
        threads.append(threading.current_thread().name)
        seen.append(telemetry.emit(schema_id=RUN, data={"tool": "log"}))

    with logging_to(emit):
        assert not telemetry.emit(schema_id=RUN, data={})
    assert telemetry.flush()

    assert (threads, seen) == (["jupyter_otel.worker"], [False])
    logs = telemetry.tally().logs
    assert (logs.sent, logs.dropped) == (1, {"invalid": 1})


@pytest.mark.parametrize(
    ("durability", "times", "every_s"),
    [("batched", 3000, 0.0003), ("sync", 100, 0.03)],
)
def test_a_signal_handler_may_emit(
    config, receiver, open_telemetry, durability, times, every_s
):
    config.OtelSpool.durability = durability
    config.OtelSpool.sync_timeout_s = 30.0
    telemetry = open_telemetry(config)
    bus = EventLogger()
    bus.register_event_schema(SCHEMA | {"title": "Run"})
    telemetry.attach(bus)
    emitted, is_inside = [], threading.Event()

    def emit(*_):
        if is_inside.is_set():
            return
        is_inside.set()
        emitted.append(telemetry.emit(schema_id=RUN, data={"tool": "signal"}))
        emitted.append(bus.emit(schema_id=RUN, data={"tool": "on the bus"}))
        is_inside.clear()

    before = signal.signal(signal.SIGALRM, emit)
    signal.setitimer(signal.ITIMER_REAL, every_s, every_s)
    try:
        emitted.extend(
            telemetry.emit(schema_id=RUN, data={"tool": "x"}) for _ in range(times)
        )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert telemetry.flush(30)
    assert all(emitted)
    assert telemetry.tally().logs.accepted == len(emitted)
    assert balanced(telemetry.tally().logs)


@pytest.mark.parametrize("schema_id", [3, None, ["a"], {}, Unhashable(RUN), b"x"])
def test_an_id_that_is_no_text_is_a_counted_refusal(config, open_telemetry, schema_id):
    telemetry = open_telemetry(config)

    assert not telemetry.emit(schema_id=schema_id, data={"tool": "x"})

    refused = telemetry.tally().logs.refused
    assert sum(refused.values()) == 1
    assert set(refused) <= {"not_json", "unknown_schema"}


def test_a_zone_that_raises_is_a_counted_refusal(config, open_telemetry):
    telemetry = open_telemetry(config)
    moment = datetime(2026, 1, 1, tzinfo=FailingZone())

    assert not telemetry.emit(schema_id=RUN, data={"tool": "x"}, timestamp=moment)

    assert telemetry.tally().logs.refused == {"not_json": 1}


@pytest.mark.parametrize("kind", [dict, UserDict, MappingProxyType])
def test_any_mapping_is_taken(config, receiver, open_telemetry, kind):
    telemetry = open_telemetry(config)

    assert telemetry.emit(schema_id=RUN, data=kind({"tool": "x"}))
    assert telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    assert "x" in {pair.value.string_value for pair in record.attributes}


def test_data_that_another_thread_changes_meanwhile_is_counted(
    config, receiver, open_telemetry
):
    telemetry = open_telemetry(config)
    data = {"tool": "x", "null": None, "huge": 2**70}
    done = threading.Event()

    def change():
        number = 0
        while not done.is_set():
            number += 1
            data[f"k{number % 50}"] = None
            data.pop(f"k{(number + 25) % 50}", None)

    thread = threading.Thread(target=change)
    thread.start()
    for _ in range(2000):
        telemetry.emit(schema_id=RUN, data=data)
    done.set()
    thread.join()

    assert telemetry.flush(30)
    logs = telemetry.tally().logs
    assert logs.accepted + sum(logs.refused.values()) == 2000
    assert balanced(logs)


@pytest.mark.parametrize("durability", ["batched", "sync"])
def test_near_the_recursion_limit_the_books_still_balance(
    config, receiver, open_telemetry, durability
):
    config.OtelSpool.durability = durability
    telemetry = open_telemetry(config)
    assert telemetry.emit(schema_id=RUN, data={"tool": "first"})
    raised = []

    def descend(levels):
        if levels:
            return descend(levels - 1)
        return telemetry.emit(schema_id=RUN, data={"tool": "deep"})

    for levels in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()):
        try:
            descend(levels)
        except RecursionError as error:
            raised.append(frames_of_ours(error))

    # Where the call itself has no room, no code of ours runs.
    assert raised == [[]] * len(raised)
    assert telemetry.emit(schema_id=RUN, data={"tool": "last"})
    assert telemetry.flush()
    assert balanced(telemetry.tally().logs)


def frames_of_ours(error):
    found, trace = [], error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals["__name__"]
        found += [name] if name.startswith("jupyter_otel") else []
        trace = trace.tb_next
    return found


def test_after_the_end_events_are_refused_as_such(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)
    bus = EventLogger()
    bus.register_event_schema(SCHEMA | {"title": "Run"})
    telemetry.attach(bus)
    bus.emit(schema_id=RUN, data={"tool": "x"})
    telemetry.close()

    bus.emit(schema_id=RUN, data={"tool": "late"})
    assert not telemetry.emit(schema_id=RUN, data={"tool": "late"})

    logs = telemetry.tally().logs
    assert (logs.accepted, logs.sent, logs.refused) == (1, 1, {"shutdown": 2})


def test_closing_while_threads_emit_raises_nowhere(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)
    raised = []

    def emit():
        try:
            while telemetry.emit(schema_id=RUN, data={"tool": "x"}):
                pass
        except BaseException as error:  # noqa: BLE001
            raised.append(error)

    threads = [threading.Thread(target=emit) for _ in range(4)]
    for thread in threads:
        thread.start()
    telemetry.close(30)
    for thread in threads:
        thread.join()

    assert raised == []
    logs = telemetry.tally().logs
    assert set(logs.refused) == {"shutdown"}
    assert balanced(logs)


def test_a_bus_that_is_attached_twice_is_recorded_once(
    config, receiver, open_telemetry
):
    telemetry = open_telemetry(config)
    bus = EventLogger()
    bus.register_event_schema(SCHEMA | {"title": "Run"})

    telemetry.attach(bus)
    telemetry.attach(bus)
    bus.emit(schema_id=RUN, data={"tool": "x"})
    assert telemetry.flush()
    for handler in list(bus.handlers):
        bus.remove_handler(handler)
    telemetry.attach(bus)
    bus.emit(schema_id=RUN, data={"tool": "again"})
    assert telemetry.flush()

    assert telemetry.tally().logs.sent == 2


def test_a_schema_that_becomes_known_late_is_known(config, receiver, open_telemetry):
    config.OtelPolicy.include = ["*"]
    telemetry = open_telemetry(config)
    late = {"$id": "https://example.org/late/v1", "properties": {}}

    assert not telemetry.emit(schema_id=late["$id"], data={})
    telemetry.catalog.register(late)

    assert telemetry.emit(schema_id=late["$id"], data={})
