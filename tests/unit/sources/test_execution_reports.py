"""Long executions are reported while they run, and nothing waits while none runs."""

import pytest

from tests.unit.sources.kernel_rig import MS, Rig


@pytest.fixture
def rig(intake):
    return Rig(intake, intake.adopt({"$id": "execution"}, "test"), heartbeat_s=60)


def beat(rig, at_ms):
    """Let the one timer that hangs on the clock come, at that time."""
    [(_, call)] = rig.clock.timers
    rig.clock.timers.clear()
    rig.clock.ns = at_ms * MS
    call()


def running(rig):
    return [
        (event.data["phase"], event.attribution.time_ns // MS)
        for event in rig.intake.taken
        if event.data["phase"] == "running"
    ]


def test_a_long_execution_is_reported_each_minute_with_what_it_put_out(rig):
    msg = rig.ask()
    rig.state(msg, "busy")
    rig.say(msg, "stream", {"name": "stdout", "text": "hi"})
    beat(rig, 61_000)
    beat(rig, 121_000)

    assert running(rig) == [("running", 61_000), ("running", 121_000)]
    said = rig.intake.data[1]
    started = rig.intake.data[0]
    size = said["output_bytes"]
    assert size > 0
    expected = {**started, "phase": "running", "output_count": 1, "output_bytes": size}
    assert said == expected
    assert "status" not in said


def test_what_only_waits_does_not_run(rig):
    rig.ask()
    beat(rig, 61_000)

    assert running(rig) == []


def test_each_is_reported_in_its_own_time_by_one_timer(rig):
    first = rig.ask()
    rig.state(first, "busy")
    rig.clock.ns = 31_000 * MS
    second = rig.ask()
    rig.state(second, "busy")
    beat(rig, 61_000)
    [(delay_s, _)] = rig.clock.timers
    beat(rig, 91_000)

    assert delay_s == 30.0
    assert running(rig) == [("running", 61_000), ("running", 91_000)]


def test_one_timer_serves_all_and_none_is_made_again_while_nothing_runs(rig):
    before = list(rig.clock.timers)
    for msg in (rig.ask(), rig.ask()):
        rig.state(msg, "idle")
        rig.reply(msg)
        rig.state(msg, "idle")
    made = [delay_s for delay_s, _ in rig.clock.timers]
    rig.clock.fire()

    assert (before, made, rig.clock.timers) == ([], [60.0, 1.0], [])
    assert running(rig) == []


def test_with_no_interval_nothing_is_reported_in_between(intake):
    rig = Rig(intake, intake.adopt({"$id": "execution"}, "test"), heartbeat_s=0)
    rig.ask()

    assert rig.clock.timers == []
