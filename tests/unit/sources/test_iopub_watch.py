"""What is heard of a kernel beside the connections that this server carries."""

import json
from collections import Counter

import pytest

from jupyter_otel.event import SpanContext, Trust
from jupyter_otel.tally import Refusal
from tests.unit.sources.kernel_rig import ACCOUNT, FIRST, MS, SESSION, WatchedRig

FOUND = {
    "phase": "started",
    "kernel_id": "k1",
    "kernel_name": "python3",
    "notebook_path": "a/b.ipynb",
    "client": "python",
    "code_lines": 1,
    "code": "1 + 1",
}


@pytest.fixture
def schema(intake):
    return intake.adopt({"$id": "execution"}, "test")


@pytest.fixture
def rig(intake, schema):
    return WatchedRig(intake, schema)


def stranger(code="1 + 1", **content):
    return SESSION.msg("execute_request", {"code": code, **content})


def test_an_execution_that_nobody_here_asked_for_is_reported_as_the_kernels_word(rig):
    request = stranger()
    rig.heard(request, "status", {"execution_state": "busy"})
    content = {"code": "1 + 1", "execution_count": 7}
    rig.heard(request, "execute_input", content, at_ms=1_010)
    rig.heard(request, "stream", {"name": "stdout", "text": "hi"})
    rig.heard(request, "status", {"execution_state": "idle"}, at_ms=1_030)

    started, finished = rig.intake.data
    assert started == FOUND
    assert finished == {
        **FOUND,
        "phase": "finished",
        "status": "ok",
        "duration_ms": 20.0,
        "output_count": 1,
        "output_bytes": len(SESSION.pack({"name": "stdout", "text": "hi"})),
        "execution_count": 7,
    }
    begun, _ = rig.intake.taken
    assert begun.attribution.person == ACCOUNT
    assert begun.attribution.trust is Trust.CLIENT
    assert begun.attribution.span == SpanContext(bytes([9] * 16), FIRST)


@pytest.mark.parametrize(
    ("raises", "status"), [("KeyError", "error"), ("KeyboardInterrupt", "interrupted")]
)
def test_a_found_execution_ends_as_the_kernel_told_all(rig, raises, status):
    rig.ran(stranger(), raises=raises)

    assert rig.phases == [("started", None), ("finished", status)]
    assert rig.intake.data[1]["error_name"] == raises
    assert "secret" not in json.dumps(rig.intake.data)


def test_silent_requests_are_no_executions(rig):
    request = stranger(silent=True)
    rig.heard(request, "status", {"execution_state": "busy"})
    rig.heard(request, "status", {"execution_state": "idle"})

    assert rig.intake.taken == []


def test_an_execution_that_a_connection_carried_is_reported_once(rig):
    request = rig.ask()
    rig.ran(request)
    rig.reply(request)

    assert rig.phases == [("started", None), ("finished", "ok")]


def test_an_execution_that_has_ended_is_not_found_by_what_comes_late(rig):
    request = rig.ask()
    rig.reply(request)
    rig.clock.fire()
    rig.ran(request)

    assert rig.phases == [("started", None), ("finished", "ok")]


def test_outputs_are_counted_once_however_many_hear_them(rig):
    request = rig.ask()
    output = {"name": "stdout", "text": "hi"}
    rig.say(request, "stream", output)
    rig.heard(request, "stream", output)
    rig.reply(request)
    rig.state(request, "idle")
    rig.heard(request, "status", {"execution_state": "idle"})

    assert rig.intake.data[-1]["output_count"] == 1


def test_what_a_client_leaves_is_followed_to_its_end(rig):
    request = rig.ask()
    rig.heard(request, "status", {"execution_state": "busy"})
    rig.heard(request, "execute_input", {"code": "1 + 1", "execution_count": 7})
    rig.connection.disconnect()
    assert rig.phases == [("started", None)]

    rig.heard(request, "error", {"ename": "KeyError"})
    rig.heard(request, "status", {"execution_state": "idle"})

    assert rig.phases[1:] == [("finished", "error")]


def test_what_is_left_in_the_queue_and_never_runs_is_aborted(rig):
    request = rig.ask()
    rig.connection.disconnect()
    rig.heard(request, "status", {"execution_state": "busy"})
    rig.heard(request, "status", {"execution_state": "idle"})

    assert rig.phases[1:] == [("finished", "aborted")]


def test_a_client_that_leaves_between_the_end_and_its_reply_is_not_waited_for(rig):
    request = rig.ask()
    rig.ran(request)
    rig.connection.disconnect()

    assert rig.phases == [("started", None), ("finished", "ok")]


def test_what_began_unwatched_goes_over_to_the_watch_when_its_client_leaves(rig):
    rig.watch.close()
    request = rig.ask()
    rig.heard(request, "execute_input", {"code": "1 + 1", "execution_count": 7})
    rig.say(request, "execute_input", {"code": "1 + 1", "execution_count": 7})
    rig.heard(request, "status", {"execution_state": "idle"})
    assert rig.phases == [("started", None)]

    rig.connection.disconnect()

    assert rig.phases[1:] == [("finished", "ok")]


def test_a_client_that_takes_no_replies_from_here_is_waited_for_a_second(rig):
    request = rig.ask()
    rig.ran(request)
    [(delay_s, _)] = rig.clock.timers
    rig.clock.fire()

    assert delay_s == 1.0
    assert rig.phases == [("started", None), ("finished", "ok")]


def test_an_end_that_was_lost_is_seen_by_the_next_execution(rig):
    first, second = stranger(), stranger()
    rig.heard(first, "execute_input", {"code": "1 + 1", "execution_count": 1})
    rig.ran(second)

    assert rig.phases == [
        ("started", None),
        ("started", None),
        ("finished", "untracked"),
        ("finished", "ok"),
    ]


def test_a_subshell_runs_beside_the_main_one(rig):
    first, second = stranger(), stranger()
    second["header"]["subshell_id"] = "s1"
    rig.heard(first, "execute_input", {"code": "1 + 1", "execution_count": 1})
    rig.ran(second)

    assert rig.phases == [("started", None), ("started", None), ("finished", "ok")]


def test_where_nobody_can_be_asked_nothing_is_found(intake, schema):
    rig = WatchedRig(intake, schema, finds=False)
    rig.ran(stranger())
    request = rig.ask()
    rig.ran(request)
    rig.reply(request)

    assert rig.phases == [("started", None), ("finished", "ok")]


def test_a_kernels_events_are_taken_once_by_the_watch(intake, schema):
    taken = []
    rig = WatchedRig(
        intake,
        schema,
        events=lambda *said: taken.append(said),
        kernel_events=lambda *said: taken.append(said),
    )
    parent = SESSION.msg("kernel_info_request")
    rig.heard(parent, "jupyter_otel_event", {"events": []})
    rig.say(parent, "jupyter_otel_event", {"events": []})

    assert taken == [("k1", SESSION.pack({"events": []}))]
    assert rig.connection.to_client == []


def test_a_flood_of_executions_is_counted_and_no_more_than_a_hundred_a_second(rig):
    for _ in range(1_500):
        rig.ran(stranger())
    flood = len(rig.intake.taken), dict(rig.intake.refused)
    rig.clock.ns += 1_000 * MS
    for _ in range(200):
        rig.ran(stranger())

    assert flood == (2 * 1_000, {Refusal.FLOOD: 500})
    assert len(rig.intake.taken) == 2 * 1_100


@pytest.mark.parametrize(
    "content",
    [b"[]", b'"x"', b"\xff", b'{"code": 7}', b'{"code": "' + b"x" * (1 << 20)],
)
def test_code_that_is_none_or_too_much_is_left_out(rig, content):
    frames = SESSION.serialize(SESSION.msg("execute_input", {}, parent=stranger()))
    rig.watch.take([*frames[:-1], content])

    [started] = rig.intake.data
    assert started.keys() == FOUND.keys() - {"code", "code_lines"}


PARENT = b'{"msg_type": "execute_request", "msg_id": %s}'


@pytest.mark.parametrize(
    "parent",
    [
        b'"execute_request"',
        PARENT % b"7",
        PARENT % b"[]",
        PARENT % b'"' + b"x" * 257 + b'"',
        PARENT % b'"' + b"x" * (1 << 14) + b'"',
        b'{"msg_id": "m", "x": "execute_request"}',
    ],
)
@pytest.mark.parametrize("kind", ["execute_input", "status", "stream"])
def test_what_is_about_no_request_changes_nothing(rig, kind, parent):
    frames = SESSION.serialize(SESSION.msg(kind, {"execution_state": "idle"}))
    frames[3] = parent
    rig.watch.take(frames)

    assert rig.intake.taken == []


@pytest.mark.parametrize("frames", [None, [], [b"<IDS|MSG>"], [b""] * 9])
def test_what_is_no_message_changes_nothing(rig, frames):
    rig.watch.take(frames)

    assert rig.intake.taken == []
    assert rig.intake.refused == {}


def test_what_the_watch_tells_of_is_not_counted_again_by_a_connection(rig):
    request = rig.ask()
    output = {"name": "stdout", "text": "hi"}
    rig.heard(request, "stream", output)
    rig.say(request, "stream", output)
    rig.reply(request)
    rig.heard(request, "status", {"execution_state": "idle"})

    assert rig.intake.data[-1]["output_count"] == 1


def test_executions_beyond_those_that_are_followed_are_told_once(rig):
    asked = [rig.ask() for _ in range(2_500)]
    for request in asked:
        rig.ran(request)
        rig.reply(request)

    assert Counter(rig.phases) == {
        ("started", None): 2_500,
        ("finished", "untracked"): 500,
        ("finished", "ok"): 2_000,
    }
    assert {event.attribution.trust for event in rig.intake.taken} == {Trust.SERVER}


def test_what_a_kernel_tells_of_crowds_out_nothing_that_was_asked_for(rig):
    found = stranger()
    content = {"code": "1 + 1", "execution_count": 7}
    rig.heard(found, "execute_input", content)
    for _ in range(2_000):
        rig.ask()
    rig.heard(stranger(), "execute_input", content)

    assert rig.phases[:1] + rig.phases[2_000:] == [
        ("started", None),
        ("finished", "untracked"),
        ("started", None),
    ]
    assert rig.intake.refused == {Refusal.FLOOD: 1}
    assert found["header"]["msg_id"] not in rig.kernel.pending
