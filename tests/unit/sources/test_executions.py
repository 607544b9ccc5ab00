import pytest

from jupyter_otel.event import Attribution
from jupyter_otel.sources.executions import Execution, Status

MS = 1_000_000


def execution(msg_id="m1", requested_ns=1_000 * MS):
    return Execution(msg_id, requested_ns, {}, Attribution())


def test_an_execution_that_ran_says_how_long_it_queued_and_ran():
    run = execution()
    run.busy_ns = 1_012 * MS
    run.add_output(10)
    run.add_output(5)
    run.reply({"status": "ok", "execution_count": 7}, 1_112 * MS + 500)

    assert run.outcome() == {
        "status": "ok",
        "queued_ms": 12.0,
        "duration_ms": 100.001,
        "output_count": 2,
        "output_bytes": 15,
        "execution_count": 7,
    }


def test_a_request_that_never_became_busy_only_queued():
    run = execution()
    run.reply({"status": "aborted"}, 1_030 * MS)

    assert run.outcome() == {
        "status": "aborted",
        "queued_ms": 30.0,
        "duration_ms": 0.0,
        "output_count": 0,
        "output_bytes": 0,
    }


def test_a_clock_that_steps_back_gives_no_negative_times():
    run = execution()
    run.busy_ns = 2_000 * MS
    run.reply({"status": "ok"}, 900 * MS)

    outcome = run.outcome()

    assert (outcome["queued_ms"], outcome["duration_ms"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("content", "status", "error_name"),
    [
        ({"status": "ok"}, Status.OK, None),
        ({"status": "error", "ename": "KeyError"}, Status.ERROR, "KeyError"),
        (
            {"status": "error", "ename": "KeyboardInterrupt"},
            Status.INTERRUPTED,
            "KeyboardInterrupt",
        ),
        ({"status": "aborted"}, Status.ABORTED, None),
        ({"status": "abort"}, Status.ABORTED, None),
        ({"status": "error", "ename": ["odd"]}, Status.ERROR, None),
        ({"status": "error", "ename": ""}, Status.ERROR, None),
        (
            {"status": "error", "ename": "std::range_error"},
            Status.ERROR,
            "std::range_error",
        ),
        ({"status": "error", "ename": "E" * 256}, Status.ERROR, "E" * 256),
        ({"status": "error", "ename": "E" * 257}, Status.ERROR, "_OTHER"),
        ({"status": "error", "ename": "no key 'sk-1'"}, Status.ERROR, "_OTHER"),
        ({"status": "error", "ename": "Error\n"}, Status.ERROR, "_OTHER"),
        ({}, Status.ERROR, None),
    ],
)
def test_a_reply_gives_the_status(content, status, error_name):
    run = execution()

    run.reply(content, 1_001 * MS)

    assert (run.status, run.error_name) == (status, error_name)


@pytest.mark.parametrize("count", [-1, True, 1.5, "3", None])
def test_a_count_that_is_none_is_left_out(count):
    run = execution()

    run.reply({"status": "ok", "execution_count": count}, 1_001 * MS)

    assert run.execution_count is None


def test_it_is_over_when_reply_and_idle_are_there():
    run = execution()
    run.asker = "somebody"
    seen = [run.is_over]
    run.reply({"status": "ok"}, 1_001 * MS)
    seen.append(run.is_over)
    run.idle_ns = 1_002 * MS
    seen.append(run.is_over)

    assert seen == [False, False, True]


def test_where_nobody_gets_a_reply_it_is_over_when_idle():
    run = execution()
    run.idle_ns = 1_002 * MS

    assert run.is_over


@pytest.mark.parametrize(
    ("began", "raised", "status", "error_name"),
    [
        (True, None, Status.OK, None),
        (True, "KeyError", Status.ERROR, "KeyError"),
        (True, "no name", Status.ERROR, "_OTHER"),
        (True, "KeyboardInterrupt", Status.INTERRUPTED, "KeyboardInterrupt"),
        (False, None, Status.ABORTED, None),
    ],
)
def test_without_a_reply_its_end_is_what_the_kernel_told_all(
    began, raised, status, error_name
):
    run = execution()
    run.busy_ns, run.idle_ns = 1_001 * MS, 1_004 * MS
    if began:
        run.began({"code": "1", "execution_count": 3})
    if raised is not None:
        run.failed({"ename": raised})

    run.conclude(1_009 * MS)

    assert (run.status, run.error_name) == (status, error_name)
    assert run.outcome()["duration_ms"] == 3.0


def test_how_long_it_queued_is_unknown_where_only_the_kernel_told_of_it():
    run = execution()
    run.was_seen_asked = False
    run.reply({"status": "ok"}, 1_001 * MS)

    assert "queued_ms" not in run.outcome()


def test_giving_up_does_not_undo_a_reply():
    replied, silent = execution(), execution()
    replied.reply({"status": "ok"}, 1_001 * MS)

    replied.give_up(Status.DISCONNECTED, 1_002 * MS)
    silent.give_up(Status.DISCONNECTED, 1_002 * MS)

    assert (replied.status, replied.replied_ns) == (Status.OK, 1_001 * MS)
    assert (silent.status, silent.replied_ns) == (Status.DISCONNECTED, 1_002 * MS)
