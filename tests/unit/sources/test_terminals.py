import asyncio

import pytest

from jupyter_otel.event import NOBODYS, Attribution, Person, SpanContext
from jupyter_otel.sources.terminals import TERMINAL_SCHEMA, TerminalCapture, watching
from tests.unit.sources.conftest import make_schema

ANN = Attribution(Person("user:ann", "ann"), SpanContext(b"t" * 16, b"s" * 8))
BOB = Attribution(Person("user:bob", "bob"), SpanContext(b"u" * 16, b"v" * 8))


class Terminal:
    """A pseudo-terminal."""


class Terminals:
    """A manager as terminado has it: ends come by themselves."""

    def __init__(self):
        self.terminals = {}

    def start_reading(self, ptywclients):
        """Begin."""
        self.terminals["1"] = ptywclients

    def on_eof(self, ptywclients):
        """End."""
        del self.terminals["1"]

    async def terminate(self, name, force=False):
        """Bring an end about."""
        self.on_eof(self.terminals[name])

    async def terminate_all(self):
        """Bring all ends about."""
        for name in list(self.terminals):
            await self.terminate(name, force=True)


class Rig:
    """A manager that is watched, a clock, and who is asking."""

    def __init__(self, intake):
        self.intake, self.now_s, self.asking = intake, 100.0, NOBODYS
        self.capture = TerminalCapture(
            intake,
            make_schema(TERMINAL_SCHEMA),
            lambda: self.asking,
            lambda: self.now_s,
        )
        self.terminals = watching(Terminals, self.capture)()

    def open(self, asking=ANN):
        """Open a terminal for somebody; two seconds pass."""
        self.asking, terminal = asking, Terminal()
        self.terminals.start_reading(terminal)
        self.asking = NOBODYS
        self.now_s += 2
        return terminal

    def terminate(self, asking):
        """End it for somebody."""
        self.asking = asking
        asyncio.run(self.terminals.terminate("1", force=True))

    @property
    def end(self):
        """Return the last event's reason, length and attribution."""
        _, data, attribution = self.intake.taken[-1]
        assert data["action"] == "closed"
        return data["reason"], data["duration_ms"], attribution


@pytest.fixture
def rig(intake):
    return Rig(intake)


def test_a_terminal_that_opens_is_whose_request_it_was(rig, intake):
    rig.open()

    [taken] = intake.taken
    assert set(taken.data) == {"action", "terminal_id"}
    assert taken.data["action"] == "opened"
    assert taken.attribution == ANN


def test_a_shell_that_ends_closes_its_terminal(rig, intake):
    terminal = rig.open()
    rig.terminals.on_eof(terminal)

    assert rig.end == ("exited", 2000.0, Attribution(person=ANN.person))
    opened, closed = intake.data
    assert opened["terminal_id"] == closed["terminal_id"]


def test_a_terminal_that_its_person_closes_ends_within_their_request(rig):
    rig.open()
    rig.terminate(ANN._replace(span=BOB.span))

    assert rig.end == ("client", 2000.0, Attribution(ANN.person, BOB.span))


def test_a_terminal_that_somebody_else_closes_stays_whose_it_was_and_tells_no_more(rig):
    rig.open()
    rig.terminate(BOB)

    assert rig.end == ("client", 2000.0, Attribution(person=ANN.person))


def test_a_terminal_that_nobody_closes_is_culled(rig):
    rig.open()
    rig.terminate(NOBODYS)

    assert rig.end == ("culled", 2000.0, Attribution(person=ANN.person))


def test_a_server_that_ends_its_terminals_stops(rig):
    rig.open()
    asyncio.run(rig.terminals.terminate_all())

    assert rig.end == ("server_stopped", 2000.0, Attribution(person=ANN.person))


def test_what_a_server_leaves_open_is_closed_with_it_once(rig, intake):
    terminal = rig.open()
    rig.capture.server_stops()
    rig.capture.server_stops()
    rig.terminals.on_eof(terminal)

    assert len(intake.taken) == 2
    assert rig.end == ("server_stopped", 2000.0, Attribution(person=ANN.person))


def test_an_end_of_something_unknown_is_left_to_the_manager(rig, intake):
    with pytest.raises(KeyError):
        asyncio.run(rig.terminals.terminate("unknown"))

    assert intake.taken == []


@pytest.mark.swallows
def test_an_error_of_ours_does_not_reach_the_manager(rig, intake, swallowed):
    rig.capture.intake = None
    terminal = rig.open()
    rig.terminals.on_eof(terminal)

    assert rig.terminals.terminals == {}
    assert "the watch on terminals went on without: AttributeError at" in swallowed.text


def test_a_watched_class_is_still_what_it_was(rig):
    assert isinstance(rig.terminals, Terminals)
    assert type(rig.terminals).__name__ == "OtelTerminals"
