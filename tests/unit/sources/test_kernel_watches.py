# ruff: noqa: D102 - the methods of test doubles are documented where they are real
"""Which kernels are watched, and when their sockets are closed."""

import pytest
import zmq

from jupyter_otel.sources.iopub_watch import IopubWatch
from jupyter_otel.sources.kernel_watches import KernelWatches
from tests.unit.sources.kernel_rig import Rig


class Socket:
    """A socket to which nothing comes."""

    def recv(self, _flags, *, copy):
        assert not copy
        raise zmq.Again


class Stream:
    """What jupyter_client connects to a kernel's iopub."""

    def __init__(self, loop) -> None:
        self.io_loop, self.socket, self.is_open = loop, Socket(), True

    def closed(self):
        return not self.is_open

    def close(self, linger):
        assert linger == 0
        self.is_open = False


class Loop:
    """An event loop that only notes who listens."""

    READ = 1

    def __init__(self) -> None:
        self.handlers = {}

    def remove_handler(self, socket):
        self.handlers.pop(socket, None)

    def add_handler(self, socket, call, events):
        self.handlers[socket] = (call, events)

    def add_callback(self, call):
        """Leave it."""


class Kernel:
    """A kernel that is there."""

    def __init__(self, port=4711) -> None:
        self.iopub_port, self.streams, self.loop = port, [], Loop()

    def connect_iopub(self):
        self.streams.append(Stream(self.loop))
        return self.streams[-1]


class Kernels(dict):
    """The kernels of a server, by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks = []

    def get_kernel(self, kernel_id):
        return self[kernel_id]

    def add_restart_callback(self, kernel_id, call, event):
        self.callbacks.append((kernel_id, event, call))

    def tell(self, event):
        for _, of, call in list(self.callbacks):
            if of == event:
                call()


@pytest.fixture
def rig(intake):
    return Rig(intake, intake.adopt({"$id": "execution"}, "test"))


@pytest.fixture
def kernels():
    return Kernels()


@pytest.fixture
def watches(rig, kernels):
    def make(kernel):
        return IopubWatch(kernel, rig.reports, None, None)

    return KernelWatches(kernels, rig.running, make, rig.clock.call_later)


def let_pass(rig):
    """Let what was put off come, once."""
    timers, rig.clock.timers = rig.clock.timers, []
    for _, call in timers:
        call()


def test_a_kernel_is_watched_once_however_often_it_is_heard_of(rig, kernels, watches):
    kernels["k1"] = Kernel()
    watches.open("k1")
    watches.open("k1")
    let_pass(rig)
    watches.open("k1")

    assert len(kernels["k1"].streams) == 1
    assert [event for _, event, _ in kernels.callbacks] == ["restart", "dead"]
    assert rig.clock.timers == []


def test_a_kernel_that_is_announced_early_is_looked_for_again(rig, kernels, watches):
    watches.open("k1")
    let_pass(rig)
    kernels["k1"] = Kernel()
    let_pass(rig)

    assert len(kernels["k1"].streams) == 1


@pytest.mark.parametrize("port", [0, None])
def test_a_kernel_without_a_socket_is_given_up(rig, kernels, watches, port):
    kernels["k1"] = Kernel(port)
    watches.open("k1")
    tries = 0
    while rig.clock.timers:
        let_pass(rig)
        tries += 1

    assert tries == 5
    assert kernels["k1"].streams == []


def test_a_kernel_that_was_shut_down_is_let_go_and_what_it_ran_ends(
    rig, kernels, watches
):
    kernels["k1"] = Kernel()
    watches.open("k1")
    let_pass(rig)
    rig.ask()

    watches.gone("k1")

    [stream] = kernels["k1"].streams
    assert stream.closed()
    assert rig.intake.data[-1]["status"] == "kernel_died"


def test_a_kernel_that_was_restarted_is_heard_anew(rig, kernels, watches):
    kernels["k1"] = Kernel()
    watches.open("k1")
    let_pass(rig)
    rig.ask()

    watches.restarted("k1")
    let_pass(rig)

    assert [stream.closed() for stream in kernels["k1"].streams] == [True, False]
    assert rig.intake.data[-1]["status"] == "kernel_died"


def test_what_is_asked_after_a_death_is_not_ended_by_the_news_of_the_restart(
    rig, kernels, watches
):
    kernels["k1"] = Kernel()
    watches.open("k1")
    let_pass(rig)
    rig.ask()
    kernels.tell("restart")
    let_pass(rig)
    rig.ask()
    watches.restarted("k1")

    ends = [event["status"] for event in rig.intake.data if "status" in event]
    assert ends == ["kernel_died"]
    assert [stream.closed() for stream in kernels["k1"].streams] == [True, False]


def test_a_kernel_that_died_for_good_is_let_go(rig, kernels, watches):
    kernels["k1"] = Kernel()
    watches.open("k1")
    let_pass(rig)

    kernels.tell("dead")

    assert [stream.closed() for stream in kernels["k1"].streams] == [True]


def test_a_kernel_whose_end_nobody_told_is_let_go_at_the_next(rig, kernels, watches):
    first = kernels["k1"] = Kernel()
    watches.open("k1")
    let_pass(rig)
    del kernels["k1"]
    kernels["k2"] = Kernel()
    watches.open("k2")
    let_pass(rig)

    assert first.streams[0].closed()
    assert not kernels["k2"].streams[0].closed()


@pytest.mark.swallows
def test_a_kernel_that_cannot_be_connected_costs_nobody_anything(
    rig, kernels, watches, swallowed
):
    kernels["k1"] = Kernel()
    kernels["k1"].connect_iopub = None
    watches.open("k1")
    let_pass(rig)

    [message] = [record.getMessage() for record in swallowed.records]
    assert message.startswith("jupyter_otel: the watch over kernels went on without: ")
