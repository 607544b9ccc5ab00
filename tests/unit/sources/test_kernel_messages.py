# ruff: noqa: D102 - the methods of test doubles are documented where they are real
import json

import pytest

from jupyter_otel.event import Attribution, Person, SpanContext
from jupyter_otel.sources.executions import Status
from tests.unit.sources.kernel_rig import (
    CLIENT,
    FIRST,
    MS,
    SESSION,
    STATE,
    PlainConnection,
    Rig,
    as_v1,
)


@pytest.fixture
def schema(intake):
    return intake.adopt({"$id": "execution"}, "test")


@pytest.fixture
def rig(intake, schema):
    return Rig(intake, schema)


STARTED = {
    "phase": "started",
    "kernel_id": "k1",
    "kernel_name": "python3",
    "notebook_path": "a/b.ipynb",
    "cell_id": "c1",
    "client": "python",
    "code_lines": 1,
    "code": "1 + 1",
}


def test_an_execution_is_reported_at_its_start_and_at_its_end(rig):
    msg = rig.ask()
    rig.state(msg, "busy", at_ms=1_005)
    output = rig.say(msg, "stream", {"name": "stdout", "text": "hi"}, at_ms=1_010)
    rig.reply(msg, at_ms=1_025)
    rig.state(msg, "idle", at_ms=1_030)

    finished = {
        **STARTED,
        "phase": "finished",
        "status": "ok",
        "queued_ms": 5.0,
        "duration_ms": 20.0,
        "output_count": 1,
        "output_bytes": len(output[-1]),
        "execution_count": 1,
    }
    assert rig.intake.data == [STARTED, finished]
    span = SpanContext(bytes([9] * 16), FIRST)
    person = Person("server", "handler of ann")
    assert [event.attribution for event in rig.intake.taken] == [
        Attribution(person, span, 1_000 * MS),
        Attribution(person, span, 1_025 * MS),
    ]


def test_every_message_is_passed_on(rig):
    msg = rig.ask()
    frames = rig.say(msg, "stream", {"name": "stdout", "text": "hi"})
    ping = as_v1(SESSION.msg("kernel_info_request"))
    rig.connection.handle_incoming_message(ping)

    assert rig.connection.to_client == [("iopub", frames)]
    assert len(rig.connection.to_kernel) == 2
    assert rig.connection.to_kernel[1] is ping


def test_the_kernel_is_told_of_the_span_and_a_clients_state_stops(rig):
    rig.ask(metadata={"cellId": "c1", **STATE})

    assert rig.forwarded_metadata == {"cellId": "c1", "traceparent": "span 1"}


def test_a_clients_span_is_the_parent(rig):
    rig.ask(metadata={"traceparent": "client", **STATE})

    assert rig.intake.taken[0].attribution.span == SpanContext(
        CLIENT.trace_id, FIRST, CLIENT.span_id
    )
    assert rig.forwarded_metadata == {"traceparent": "span 1"}


def test_without_traces_no_context_is_made_and_state_still_stops(intake, schema):
    rig = Rig(intake, schema, spans=None)

    rig.ask(metadata={"cellId": "c1", **STATE})

    assert rig.forwarded_metadata == {"cellId": "c1"}
    assert intake.taken[0].attribution.span is None


def test_code_is_not_even_copied_unless_policy_keeps_it(intake, schema):
    rig = Rig(intake, schema, takes_code=False)

    rig.ask("a = 1\nb = 2")

    assert "code" not in intake.data[0]
    assert intake.data[0]["code_lines"] == 2


@pytest.mark.parametrize("name", [None, 7, "", "a b", "n" * 257])
def test_a_kernels_name_that_is_none_is_left_out(rig, name):
    rig.connection.kernel_manager.kernel_name = name

    rig.ask()

    assert "kernel_name" not in rig.intake.data[0]


def test_an_error_has_its_name(rig):
    msg = rig.ask()
    rig.state(msg, "busy")
    rig.reply(msg, {"status": "error", "ename": "KeyError", "evalue": "secret"})
    rig.state(msg, "idle")

    end = rig.intake.data[-1]
    assert (end["status"], end["error_name"]) == ("error", "KeyError")
    assert "secret" not in json.dumps(end)


def test_outputs_that_the_reply_overtook_are_counted(rig):
    msg = rig.ask()
    rig.reply(msg)
    rig.say(msg, "display_data", {"data": {}})
    assert len(rig.intake.taken) == 1
    rig.state(msg, "idle")

    assert rig.intake.data[-1]["output_count"] == 1
    rig.clock.fire()
    assert len(rig.intake.taken) == 2


def test_an_idle_message_that_never_comes_is_waited_for_a_second(rig):
    msg = rig.ask()
    rig.reply(msg, at_ms=1_020)
    [(delay_s, _)] = rig.clock.timers
    rig.clock.ns = 2_020 * MS
    rig.clock.fire()
    rig.state(msg, "idle")

    assert delay_s == 1.0
    assert len(rig.intake.taken) == 2
    assert rig.intake.taken[-1].attribution.time_ns == 1_020 * MS


def test_an_idle_message_before_the_reply_does_not_end_it(rig):
    msg = rig.ask()
    rig.state(msg, "busy")
    rig.state(msg, "idle")
    rig.reply(msg)

    assert [event["phase"] for event in rig.intake.data] == ["started", "finished"]


def test_requests_of_other_clients_are_not_ours(rig):
    rig.ask()
    stranger = SESSION.msg("execute_request")
    rig.reply(stranger)
    rig.state(stranger, "idle")

    assert len(rig.intake.taken) == 1


def test_silent_requests_are_left_alone_but_for_the_state_they_carry(rig):
    rig.ask(silent=True, metadata={"x": 1, **STATE})

    assert rig.intake.taken == []
    assert rig.forwarded_metadata == {"x": 1}


def test_a_request_that_passes_twice_is_one_execution(rig):
    rig.ask()
    rig.connection.handle_incoming_message(rig.connection.to_kernel[0])

    assert len(rig.intake.taken) == 1
    assert rig.connection.to_kernel[0] is rig.connection.to_kernel[1]


@pytest.mark.parametrize(
    ("end", "status", "call"),
    [
        ("on_kernel_restarted", Status.KERNEL_DIED, "restarted"),
        ("on_restart_failed", Status.KERNEL_DIED, "restart failed"),
        ("disconnect", Status.DISCONNECTED, "disconnected"),
    ],
)
def test_what_takes_kernel_or_client_away_ends_what_runs(rig, end, status, call):
    running = rig.ask()
    rig.ask()
    rig.state(running, "busy", at_ms=1_010)
    rig.clock.ns = 1_050 * MS

    getattr(rig.connection, end)()
    rig.reply(running)

    ends = rig.intake.data[2:]
    assert [(run["status"], run["duration_ms"]) for run in ends] == [
        (status, 40.0),
        (status, 0.0),
    ]
    assert rig.connection.calls == [call]


def test_disconnect_returns_what_the_class_below_returns(rig):
    assert rig.connection.disconnect() == "done"


def test_the_watched_kernel_going_away_is_heard_from_outside(rig):
    rig.ask()

    rig.running.kernel_gone("another")
    assert len(rig.intake.taken) == 1
    rig.running.kernel_gone("k1")

    assert rig.intake.data[-1]["status"] == "kernel_died"


def test_two_thousand_pending_executions_are_kept_and_no_more(rig):
    for _ in range(2_001):
        rig.ask()

    ends = [event for event in rig.intake.data if event["phase"] == "finished"]
    assert [event["status"] for event in ends] == ["untracked"]


class GatewayConnection(PlainConnection):
    """As jupyter_server's class to a gateway: text, one argument, and it re-enters."""

    def __init__(self) -> None:
        super().__init__()
        self.is_connected = False

    def handle_incoming_message(self, message):
        if not self.is_connected:
            self.is_connected = True
            self.handle_incoming_message(message)
            return
        super().handle_incoming_message(message)

    def handle_outgoing_message(self, message):
        self.to_client.append(message)


def test_a_gateways_connection_is_captured_once(intake, schema):
    rig = Rig(intake, schema, base=GatewayConnection)
    msg = SESSION.msg("execute_request", {"code": "1", "silent": False})
    text = SESSION.pack({**msg, "channel": "shell"}).decode()
    rig.connection.handle_incoming_message(text)
    for kind, content in (
        ("status", {"execution_state": "busy"}),
        ("execute_reply", {"status": "ok"}),
        ("status", {"execution_state": "idle"}),
    ):
        said = SESSION.pack(SESSION.msg(kind, content, parent=msg)).decode()
        rig.connection.handle_outgoing_message(said)

    assert [event["phase"] for event in intake.data] == ["started", "finished"]
    assert len(rig.connection.to_client) == 3
    [forwarded] = map(json.loads, rig.connection.to_kernel)
    assert forwarded["metadata"] == {"traceparent": "span 1"}


@pytest.mark.swallows
def test_what_fails_inside_is_logged_once_and_messages_pass(intake, schema, swallowed):
    def fail(_handler):
        raise ValueError("ann's secret")

    rig = Rig(intake, schema, person=fail)
    for _ in range(3):
        rig.ask()

    assert len(rig.connection.to_kernel) == 3
    [message] = [record.getMessage() for record in swallowed.records]
    assert message.startswith(
        "jupyter_otel: the capture of executions went on without: ValueError at "
    )


@pytest.mark.swallows
@pytest.mark.parametrize("noise", [None, 17, b'"execute_request"', '"execute_request"'])
def test_noise_from_a_client_is_passed_on(rig, noise):
    rig.connection.handle_incoming_message(noise)

    assert rig.connection.to_kernel == [noise]


@pytest.mark.swallows
@pytest.mark.parametrize("noise", [None, [], [b"<IDS|MSG>"], "{", [b"x"] * 9])
def test_noise_from_a_kernel_is_passed_on(rig, noise):
    rig.ask()
    rig.connection.handle_outgoing_message("shell", noise)

    assert rig.connection.to_client == [("shell", noise)]


@pytest.mark.parametrize(
    ("msg_id", "username", "metadata", "client"),
    [
        ("abc", "", {"deletedCells": [], "recordTiming": False}, "jupyterlab"),
        ("0a-1b_77_3", "", {}, "python"),
        ("abc", "", {"cellId": "vscode-notebook-cell:/a.ipynb#W0"}, "vscode"),
        ("abc", "ann", {}, None),
    ],
)
def test_a_client_is_named_where_its_message_tells(
    rig, msg_id, username, metadata, client
):
    msg = SESSION.msg("execute_request", {"code": ""}, metadata=metadata)
    msg["header"].update(msg_id=msg_id, username=username)

    rig.connection.handle_incoming_message(as_v1(msg))

    assert rig.intake.data[0].get("client") == client


@pytest.mark.parametrize(
    "cell_id", ["vscode-notebook-cell:/home/ann/a.ipynb#W0", "", 3, "a" * 65]
)
def test_a_cell_id_that_is_none_is_left_out(rig, cell_id):
    rig.ask(metadata={"cellId": cell_id})

    assert "cell_id" not in rig.intake.data[0]


def test_a_request_that_leaves_no_history_is_marked(rig):
    rig.ask(store_history=False)
    rig.ask(store_history=True)

    marks = [event.get("store_history") for event in rig.intake.data]
    assert marks == [False, None]


def test_one_id_used_twice_hides_neither_execution(rig):
    msg = rig.ask()
    again = SESSION.msg("execute_request", {"code": "hidden()", "silent": False})
    again["header"]["msg_id"] = msg["header"]["msg_id"]
    rig.connection.handle_incoming_message(as_v1(again))
    rig.reply(again)
    rig.state(again, "idle")

    told = [(e["phase"], e["code"], e.get("status")) for e in rig.intake.data]
    assert told == [
        ("started", "1 + 1", None),
        ("finished", "1 + 1", "untracked"),
        ("started", "hidden()", None),
        ("finished", "hidden()", "ok"),
    ]


def test_a_restart_that_interrupts_first_is_no_persons_interrupt(intake, schema):
    rig = Rig(intake, schema, is_stopping=lambda kernel_id: kernel_id == "k1")
    msg = rig.ask()
    rig.reply(msg, {"status": "error", "ename": "KeyboardInterrupt"})
    rig.state(msg, "idle")

    end = intake.data[-1]
    assert (end["status"], end.get("error_name")) == ("kernel_died", None)
