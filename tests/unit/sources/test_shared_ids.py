"""Who cannot say how another's execution ended: who has its id, and its kernel."""

from types import SimpleNamespace

import pytest

from jupyter_otel.sources.iopub_watch import IopubWatch
from jupyter_otel.sources.kernel_messages import capturing
from tests.unit.sources.kernel_rig import SESSION, PlainConnection, Rig, as_v1

STOLEN = {"code": "bobs()", "silent": False}


class SharedRig(Rig):
    """A kernel with a second connection: bob's."""

    def __init__(self, intake, schema) -> None:
        super().__init__(intake, schema)
        self.anns, self.bobs = (
            self.connection,
            capturing(PlainConnection, self.capture)(),
        )
        self.bobs.websocket_handler = "handler of bob"

    def steal(self, msg):
        """Bob asks with an id that ann's request has."""
        stolen = SESSION.msg("execute_request", STOLEN)
        stolen["header"]["msg_id"] = msg["header"]["msg_id"]
        self.bobs.handle_incoming_message(as_v1(stolen))

    def to_bob(self, msg, kind, content):
        """Bob's connection gets a message of the kernel."""
        said = SESSION.msg(kind, content, parent=msg)
        self.bobs.handle_outgoing_message("shell", SESSION.serialize(said))

    @property
    def told(self):
        """What was reported, and whose."""
        return [
            (
                e.data["phase"],
                e.data["code"],
                e.data.get("status"),
                e.attribution.person.user_name,
            )
            for e in self.intake.taken
        ]


@pytest.fixture
def rig(intake):
    return SharedRig(intake, intake.adopt({"$id": "execution"}, "test"))


BEGUN = [
    ("started", "1 + 1", None, "handler of ann"),
    ("started", "bobs()", None, "handler of bob"),
    ("finished", "bobs()", "untracked", "handler of bob"),
]


def test_an_id_that_another_connection_takes_ends_nothing(rig):
    msg = rig.ask()
    rig.state(msg, "busy")
    rig.steal(msg)
    # Bob's runs in a subshell, is over first, and fails.
    rig.state(msg, "busy")
    rig.state(msg, "idle")
    rig.to_bob(msg, "status", {"execution_state": "idle"})
    rig.to_bob(msg, "execute_reply", {"status": "error", "ename": "E"})
    rig.clock.fire()
    assert rig.told == BEGUN

    rig.reply(msg)
    rig.clock.fire()
    assert rig.told == [*BEGUN, ("finished", "1 + 1", "ok", "handler of ann")]


def test_what_a_kernel_reports_under_a_stolen_id_is_nobodys(rig):
    msg = rig.ask()
    rig.reply(msg)
    rig.state(msg, "idle")
    rig.steal(msg)
    rig.to_bob(msg, "execute_reply", {"status": "ok"})
    rig.to_bob(msg, "status", {"execution_state": "idle"})

    assert rig.told[1:] == [
        ("finished", "1 + 1", "ok", "handler of ann"),
        ("started", "bobs()", None, "handler of bob"),
        ("finished", "bobs()", "ok", "handler of bob"),
    ]
    assert rig.reports.attributions.of("k1", msg["header"]["msg_id"]) is None


@pytest.mark.parametrize("stream", ["iopub", SimpleNamespace(channel="iopub")])
def test_what_is_said_to_all_is_no_reply(rig, stream):
    msg = rig.ask()
    forged = SESSION.msg("execute_reply", {"status": "aborted"}, parent=msg)
    rig.connection.handle_outgoing_message(stream, SESSION.serialize(forged))
    rig.state(msg, "idle")
    assert rig.told == BEGUN[:1]

    rig.reply(msg)

    assert rig.told == [BEGUN[0], ("finished", "1 + 1", "ok", "handler of ann")]


def test_another_connection_that_hears_first_and_leaves_costs_no_output(rig):
    msg = rig.ask()
    output = {"name": "stdout", "text": "hi"}
    rig.to_bob(msg, "status", {"execution_state": "busy"})
    rig.state(msg, "busy")
    rig.bobs.disconnect()
    rig.say(msg, "stream", output)
    rig.reply(msg)
    rig.state(msg, "idle")

    assert rig.told == [BEGUN[0], ("finished", "1 + 1", "ok", "handler of ann")]
    assert rig.intake.data[-1]["output_count"] == 1


def test_what_has_another_of_its_id_beside_it_ends_when_its_client_has_left(rig):
    kernel = rig.running.of("k1")
    watch = IopubWatch(kernel, rig.reports, None, None)
    watch.take([])
    msg = rig.ask()
    rig.steal(msg)
    rig.anns.disconnect()
    assert rig.told == BEGUN

    idle = SESSION.msg("status", {"execution_state": "idle"}, parent=msg)
    watch.take(SESSION.serialize(idle))

    assert rig.told == [*BEGUN, ("finished", "1 + 1", "aborted", "handler of ann")]
