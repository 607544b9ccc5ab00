"""The thread that turns what was handed in into rows, a batch at a time.

It knows neither events nor stages: it collects, waits a little so that a batch is
worth a transaction, and hands the batch on. What waits is one flat list, so that the
host's garbage collector has no thousands of tuples to look through.

A little later it has what became of the batch settled: put on disk, if nobody has taken
it away by then. An item that was put is settled after at most ``LINGER_S`` +
``SETTLE_S`` = 150 ms, the work on its batch and one more, and one commit; a queue that
has grown longer than a batch adds the work on what stands in front. An idle thread
sleeps without polling.
"""

import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar, cast

Item = TypeVar("Item", bound=tuple[Any, ...])

LINGER_S = 0.1
"""How long the first item of a batch waits for others; half of what may be lost."""
SETTLE_S = 0.05
"""How long a receiver has to take rows before they are written to disk."""
MAX_BATCH = 1024
PLENTY = 0.75
"""Up to which part of the queue's bounds nobody asks how much an item matters."""
TURN_S = 0.001
_MOMENT_S = 0.00005


class Batch(Generic[Item]):
    """Items one behind the other in one list, ``width`` values each."""

    __slots__ = ("_values", "_width")

    def __init__(self, values: list[Any], width: int) -> None:
        self._values = values
        self._width = width

    def __len__(self) -> int:
        """Return how many items there are."""
        return len(self._values) // self._width

    def __iter__(self) -> Iterator[Item]:
        """Yield the items, as plain tuples."""
        values = iter(self._values)
        return cast("Iterator[Item]", zip(*[values] * self._width, strict=True))

    def split(self, items: int) -> "Iterator[Batch[Item]]":
        """Yield batches of so many items, the last one of what is left."""
        step = items * self._width
        for first in range(0, len(self._values), step):
            yield Batch(self._values[first : first + step], self._width)


class _Waiter(NamedTuple):
    """Somebody who waits until so many items are worked on.

    No condition: a thread that waits may be interrupted to wait for something else.
    """

    goal: int
    reached: "queue.SimpleQueue[None]"


class Worker(Generic[Item]):
    """A bounded queue and the one thread that empties it.

    Every method is safe in any thread, and in a signal handler that interrupts another
    one: the lock may be taken again, and the bell is one that may be rung anywhere.

    Args:
        width: How many values an item has.
        work: Gets each batch, in order, on the worker's thread.
        lose: Gets the batch that ``work`` raised for, none if ``settle`` did; the
            thread goes on.
        max_items: The queue's bound.
        max_bytes: The queue's bound in the sizes that `put` is told.
        share: Asked where three quarters of either bound are used: up to which part of
            them an item may still be put.
        linger_s: How long a batch waits to grow; 0: not at all.
        settle: Called on the worker's thread, ``settle_s`` after the first batch that
            it has not been called for, before the thread ends, and after the seconds
            that it returned; None: not before the next batch.
        settle_s: See there.
    """

    def __init__(  # noqa: PLR0913 - put together once, in ``pipeline.py``
        self,
        width: int,
        work: Callable[[Batch[Item]], None],
        lose: Callable[[Batch[Item], Exception], None],
        *,
        max_items: int = 65_536,
        max_bytes: int = 64 * 2**20,
        share: Callable[[Item], float] = lambda _item: 1.0,
        linger_s: float = LINGER_S,
        settle: Callable[[], float | None] = lambda: None,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._width = width
        self._work = work
        self._lose = lose
        self._max_values = max_items * width
        self._max_bytes = max_bytes
        self._plenty_values = self._max_values * PLENTY
        self._plenty_bytes = max_bytes * PLENTY
        self._share = share
        self._many = MAX_BATCH * width
        self._linger_s = linger_s
        self._linger_until = 0.0
        self._settle = settle
        self._settle_s = settle_s
        self._settle_at = math.inf
        """When to settle, by the monotonic clock."""
        self._queue: list[Any] = []
        self._queued_bytes = 0
        self._put_count = 0
        self._lock = threading.RLock()
        self._done_count = 0
        self._waiters: list[_Waiter] = []
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        """Rung when the thread has something to look at."""
        self._is_hurried = False
        self._is_stopping = False
        self._thread = threading.Thread(
            target=self._run, name="jupyter_otel.worker", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, item: Item, size: int) -> bool:
        """Queue an item; return False, and queue nothing, where there is no room."""
        with self._lock:
            if self._is_stopping or not self._has_room(item, size):
                return False
            # Asked before the item is in: a signal handler may put one right after.
            is_first = not self._queue
            if is_first:
                self._linger_until = time.monotonic() + self._linger_s
            # In one step: a signal handler may put another one between any two.
            self._queue.extend(item)
            self._queued_bytes += size
            self._put_count += 1
            is_many = len(self._queue) >= self._many and not self._is_hurried
            if is_many:
                self._is_hurried = True
        # A bell not heard yet will do. No call here goes deeper than those above: near
        # the recursion limit what is queued must be heard of.
        if (is_first or is_many) and self._bell.empty():
            self._bell.put(None)
        return True

    def hurry(self) -> None:
        """Have what is queued worked on now."""
        self._is_hurried = True
        if self._bell.empty():
            self._bell.put(None)

    def finish(self, timeout_s: float) -> bool:
        """Wait until all that was put before the call is worked on; False: too long.

        On the worker's own thread, which cannot wait for itself, that is at once.
        """
        if threading.current_thread() is self._thread:
            self.hurry()
            return False
        with self._lock:
            waiter = _Waiter(self._put_count, queue.SimpleQueue())
            if self._done_count >= waiter.goal:
                return True
            self._waiters.append(waiter)
        self.hurry()
        with suppress(queue.Empty):
            waiter.reached.get(timeout=max(timeout_s, 0.0))
        return self._done_count >= waiter.goal

    def stop(self, timeout_s: float) -> Batch[Item]:
        """Take nothing more, finish what is queued; return what time was too short for.

        The thread is a daemon: one that hangs is left behind.
        """
        with self._lock:
            self._is_stopping = True
        self.hurry()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return self._take()

    def _has_room(self, item: Item, size: int) -> bool:
        values, total = len(self._queue), self._queued_bytes + size
        if values < self._plenty_values and total <= self._plenty_bytes:
            return True
        share = self._share(item)
        return values < self._max_values * share and total <= self._max_bytes * share

    def _run(self) -> None:
        while True:
            self._wait(lambda: bool(self._queue) or self._is_hurried)
            self._wait(lambda: self._is_hurried, self._linger_until)
            self._is_hurried = False
            self._work_on(self._take())
            if self._is_stopping and not self._queue:
                self._settle_now()
                return

    def _wait(self, is_over: Callable[[], bool], until_s: float = math.inf) -> None:
        """Wait until something holds, and settle in the meantime if it is time to."""
        while not is_over() and time.monotonic() < until_s:
            self._listen(min(self._settle_at, until_s))
            if time.monotonic() >= self._settle_at:
                self._settle_now()

    def _listen(self, until_s: float) -> None:
        """Return when the bell rings; as a rule not later than at this time."""
        timeout_s = None if until_s == math.inf else _seconds_to(until_s)
        with suppress(queue.Empty):
            self._bell.get(timeout=timeout_s)

    def _settle_now(self) -> None:
        self._settle_at = math.inf
        self._safely(self._settle_once, Batch([], self._width))

    def _settle_once(self) -> None:
        again_s = self._settle()
        if again_s is not None:
            self._settle_at = time.monotonic() + again_s

    def _take(self) -> Batch[Item]:
        """Empty the queue."""
        with self._lock:
            taken, self._queue, self._queued_bytes = self._queue, [], 0
        return Batch(taken, self._width)

    def _work_on(self, taken: Batch[Item]) -> None:
        for batch in taken.split(MAX_BATCH):
            self._safely(partial(self._work, batch), batch)
            self._finish_batch(len(batch))
            self._settle_if_due()

    def _finish_batch(self, items: int) -> None:
        with self._lock:
            self._done_count += items
            for waiter in self._waiters:
                if waiter.goal <= self._done_count:
                    waiter.reached.put(None)
            self._waiters = [w for w in self._waiters if w.goal > self._done_count]

    def _settle_if_due(self) -> None:
        self._settle_at = min(self._settle_at, time.monotonic() + self._settle_s)
        if time.monotonic() >= self._settle_at:
            self._settle_now()

    def _safely(self, step: Callable[[], None], batch: Batch[Item]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the thread must outlive any batch
            # ... and whoever is told that one was lost.
            with suppress(Exception):
                self._lose(batch, error)


def _seconds_to(time_s: float) -> float:
    return max(time_s - time.monotonic(), 0.0)


class Turns:
    """Lets the event loop have the interpreter after each millisecond of work.

    Without it a thread that wants the interpreter waits for 5 ms. A sleep of no time at
    all does not do: the interpreter may come back to whoever gave it away.
    """

    def __init__(self) -> None:
        self._due_s = time.perf_counter() + TURN_S

    def give(self) -> None:
        """Sleep for a moment if this turn is over."""
        if time.perf_counter() >= self._due_s:
            time.sleep(_MOMENT_S)
            self._due_s = time.perf_counter() + TURN_S
