"""Who hears of an execution from two sides, one of which lags or leaves."""

import pytest

from tests.unit.sources.kernel_rig import MS, WatchedRig


@pytest.fixture
def rig(intake):
    return WatchedRig(intake, intake.adopt({"$id": "execution"}, "test"))


OUTPUT = {"name": "stdout", "text": "hi"}
RUN = [
    ("status", {"execution_state": "busy"}),
    ("execute_input", {"code": "1 + 1", "execution_count": 7}),
    ("stream", OUTPUT),
    ("stream", OUTPUT),
    ("error", {"ename": "KeyError"}),
    ("status", {"execution_state": "idle"}),
]


@pytest.mark.parametrize("told", range(len(RUN) + 1))
@pytest.mark.parametrize("heard", range(len(RUN) + 1))
def test_a_client_that_leaves_costs_no_output_wherever_the_watch_is(rig, told, heard):
    request = rig.ask()
    for kind, content in RUN[:told]:
        rig.say(request, kind, content)
    for kind, content in RUN[:heard]:
        rig.heard(request, kind, content)
    rig.connection.disconnect()
    for kind, content in RUN[heard:]:
        rig.heard(request, kind, content)

    assert rig.phases == [("started", None), ("finished", "error")]
    assert rig.intake.data[-1]["error_name"] == "KeyError"
    assert rig.intake.data[-1]["output_count"] == 3


def test_what_the_watch_joined_too_late_for_stays_as_its_client_told(rig):
    request = rig.ask()
    for kind, content in RUN[:4]:
        rig.say(request, kind, content)
    rig.heard(request, *RUN[4])
    rig.connection.disconnect()
    rig.heard(request, *RUN[5])

    assert rig.phases == [("started", None), ("finished", "error")]
    assert rig.intake.data[-1]["output_count"] == 2


def test_a_watch_that_has_heard_nothing_yet_leaves_nothing_to_the_clients(rig):
    rig.watch.close()
    request = rig.ask()
    unheard = rig.kernel.is_told_by_askers()
    rig.watch.take([])

    assert (unheard, rig.kernel.is_told_by_askers()) == (False, True)
    rig.heard(request, *RUN[0])
    assert not rig.kernel.is_told_by_askers()


def test_a_flood_that_a_client_reads_slowly_is_counted_by_the_watch(rig):
    request = rig.ask()
    for kind, content in RUN[:3]:
        rig.say(request, kind, content)
    rig.reply(request, {"status": "error", "ename": "KeyError"})
    for kind, content in RUN:
        rig.heard(request, kind, content)

    assert rig.phases == [("started", None), ("finished", "error")]
    assert rig.intake.data[-1]["output_count"] == 3


def test_a_reply_that_comes_last_finds_all_counted(rig):
    request = rig.ask()
    rig.say(request, *RUN[0])
    for kind, content in RUN:
        rig.heard(request, kind, content)
    assert rig.phases == [("started", None)]

    rig.reply(request, {"status": "error", "ename": "KeyError"})

    assert rig.phases == [("started", None), ("finished", "error")]
    assert rig.intake.data[-1]["output_count"] == 3


def test_before_an_end_is_waited_for_no_longer_the_watch_catches_up(rig):
    request = rig.ask()
    rig.say(request, *RUN[0])
    rig.reply(request)
    rig.watch.catch_up = lambda: [rig.heard(request, *said) for said in RUN]
    rig.clock.ns += 1_000 * MS
    rig.clock.fire()

    assert rig.phases == [("started", None), ("finished", "ok")]
    assert rig.intake.data[-1]["output_count"] == 3
