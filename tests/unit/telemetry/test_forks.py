import os
import threading

import pytest
from jupyter_events import EventLogger

from jupyter_otel.event import Attribution
from jupyter_otel.tally import Refusal
from tests.unit.telemetry.conftest import SCHEMA

RUN = SCHEMA["$id"]
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def in_child(act):
    """Return what a forked child exits with: 1 where it fails, 14 where it hangs."""
    pid = os.fork()
    if pid == 0:
        import signal  # noqa: PLC0415

        signal.alarm(10)
        try:
            os._exit(0 if act() else 1)
        except BaseException:  # noqa: BLE001 - the child must not run the tests on
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def locked(*locks):
    """Hold locks on another thread, as in a process that forks at a bad moment."""
    held, done = threading.Event(), threading.Event()

    def hold():
        for lock in locks:
            lock.acquire()
        held.set()
        done.wait(30)
        for lock in locks:
            lock.release()

    threading.Thread(target=hold).start()
    held.wait(10)
    return done


def locks_of(pipeline):
    # No public seam stops another thread inside a call at will.
    return (
        pipeline._worker._lock,
        pipeline._books._lock,
        pipeline._recorder._complaints._lock,
        pipeline._stages.catalog._lock,
    )


def test_a_child_is_inert_though_other_threads_held_every_lock(
    config, receiver, open_telemetry
):
    telemetry = open_telemetry(config)
    bus = EventLogger()
    bus.register_event_schema(SCHEMA | {"title": "Run"})
    telemetry.attach(bus)
    intake = telemetry.intake
    schema = intake.find(RUN)

    def act():
        bus.emit(schema_id=RUN, data={"tool": "seen first in the child"})
        answers = [
            intake.emit(schema, {"tool": "child"}, Attribution()),
            intake.finish(1),
            telemetry.emit(schema_id=RUN, data={"tool": "child"}),
        ]
        intake.refuse(Refusal.UNKNOWN_SCHEMA)
        intake.stop(1)
        telemetry.close()
        return answers == [False, False, False] and intake.find("urn:x") is None

    done = locked(*locks_of(intake))
    exit_code = in_child(act)
    done.set()

    assert exit_code == 0


def test_a_childs_events_on_the_bus_are_not_kept(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)
    bus = EventLogger()
    bus.register_event_schema(SCHEMA | {"title": "Run"})
    telemetry.attach(bus)
    bus.emit(schema_id=RUN, data={"tool": "parent"})
    telemetry.flush()
    worker = telemetry.intake._worker

    def act():
        for _ in range(100):
            bus.emit(schema_id=RUN, data={"tool": "child"})
        return not worker._queue

    assert in_child(act) == 0
    bus.emit(schema_id=RUN, data={"tool": "parent"})
    assert telemetry.flush()
    assert telemetry.tally().logs.sent == 2
