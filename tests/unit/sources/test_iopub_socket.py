# ruff: noqa: D102 - small methods of a rig
"""When what a kernel says is read, at a real socket on a real loop."""

import asyncio

import pytest
import zmq
from tornado.ioloop import IOLoop
from zmq.eventloop.zmqstream import ZMQStream

from jupyter_otel.sources.iopub_socket import IopubSocket

MESSAGES = [str(number).encode() for number in range(20)]


class Rig:
    """A kernel's end of the socket, and what was read at ours."""

    def __init__(self, *, has_leisure) -> None:
        self._has_leisure = has_leisure
        self.taken, self.wakes = [], 0
        self._context = zmq.Context()
        self._kernel = self._context.socket(zmq.PUB)
        self._kernel.sndhwm = 0
        port = self._kernel.bind_to_random_port("tcp://127.0.0.1")
        socket = self._context.socket(zmq.SUB)
        socket.connect(f"tcp://127.0.0.1:{port}")
        socket.subscribe(b"")
        stream = ZMQStream(socket, IOLoop.current())
        self.socket = IopubSocket(stream, self._take, self._asked)

    def _take(self, frames):
        self.taken += frames[1:]

    def _asked(self):
        self.wakes += 1
        return self._has_leisure

    def say(self, message):
        self._kernel.send_multipart([b"topic", message])

    async def join(self):
        """Say something until it is heard: a socket joins late."""
        while not self.taken:
            self.say(b"hello")
            await asyncio.sleep(0.01)
        await self.until(lambda: self._is_over(b"that was all"))
        self.taken.clear()
        self.wakes = 0

    def _is_over(self, last):
        self.say(last)
        return last in self.taken

    async def until(self, claim):
        for _ in range(1_000):
            if claim():
                return
            await asyncio.sleep(0.01)
        pytest.fail("it never came true")

    def close(self):
        self.socket.close()
        self._context.destroy(linger=0)


def play(act, *, has_leisure):
    """Let something happen to a socket that has joined; return its rig."""

    async def scene():
        rig = Rig(has_leisure=has_leisure)
        try:
            await rig.join()
            await act(rig)
        finally:
            rig.close()
        return rig

    return asyncio.run(scene())


async def a_slow_talk(rig):
    for message in MESSAGES:
        rig.say(message)
        await asyncio.sleep(0.005)
    await rig.until(lambda: MESSAGES[-1] in rig.taken)


@pytest.mark.parametrize("has_leisure", [False, True])
def test_every_message_is_read_in_its_order(has_leisure):
    rig = play(a_slow_talk, has_leisure=has_leisure)

    assert [said for said in rig.taken if said in MESSAGES] == MESSAGES


def test_with_leisure_the_loop_wakes_for_many_messages_at_once():
    assert 0 < play(a_slow_talk, has_leisure=True).wakes < len(MESSAGES) / 2


def test_what_waits_with_leisure_can_be_had_now():
    async def act(rig):
        rig.say(b"first")
        await rig.until(lambda: rig.wakes)  # from now on nothing is read
        rig.say(b"last")
        await rig.until(lambda: rig.socket.read_now() or b"last" in rig.taken)

    rig = play(act, has_leisure=True)

    assert rig.taken[-2:] == [b"first", b"last"]


def test_a_closed_socket_reads_nothing_more():
    async def act(rig):
        rig.say(b"late")
        rig.socket.close()
        await asyncio.sleep(0.1)

    assert b"late" not in play(act, has_leisure=True).taken


def test_what_is_too_much_to_be_had_now_comes_later():
    many = [str(number).encode() for number in range(1_500)]

    async def act(rig):
        for message in many:
            rig.say(message)
        # All of it has come, and nobody has been told: the loop has not turned since.
        while len(rig.taken) < 1_000:
            rig.socket.read_now()
        await rig.until(lambda: many[-1] in rig.taken)

    assert play(act, has_leisure=False).taken[-len(many) :] == many
