"""Many things that are due after the same time each, on one timer.

A timer of its own for each, mostly taken back, would cost more than all else.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")


class Clock(Protocol):
    """Tells how time passes, and calls."""

    def monotonic(self) -> float:
        """Return the seconds since some moment, whatever becomes of the date."""

    def call_later(self, delay_s: float, call: Callable[[], None]) -> object:
        """Have something called after so many seconds."""


class Deadlines(Generic[Item]):
    """Calls with each thing once its time has come, unless it was discarded before.

    Args:
        delay_s: After how many seconds each is due.
        clock: Counts them.
        due: Is called with what is due, which is then no longer here. Never raises.
    """

    def __init__(
        self, delay_s: float, clock: Clock, due: Callable[[Item], None]
    ) -> None:
        self._delay_s = delay_s
        self._clock = clock
        self._due = due
        self._due_s: dict[Item, float] = {}
        """When; in this order, as all wait for the same time."""
        self._is_timed = False

    def __contains__(self, item: object) -> bool:
        return item in self._due_s

    def add(self, item: Item) -> None:
        """Have a thing due, from now on; it is none of those that wait already."""
        self._due_s[item] = self._clock.monotonic() + self._delay_s
        if not self._is_timed:
            self._wait(self._delay_s)

    def discard(self, item: Item) -> None:
        """Have it due no more. The timer comes all the same, and finds that."""
        self._due_s.pop(item, None)

    def _wait(self, delay_s: float) -> None:
        self._clock.call_later(delay_s, self._ring)
        self._is_timed = True

    def _ring(self) -> None:
        now_s = self._clock.monotonic()
        for item in [item for item, at_s in self._due_s.items() if at_s <= now_s]:
            # One of those before it may have been its end, too.
            if self._due_s.pop(item, None) is not None:
                self._due(item)
        self._is_timed = False
        if self._due_s:
            self._wait(max(next(iter(self._due_s.values())) - now_s, 0.0))
