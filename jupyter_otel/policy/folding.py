"""Volume: events alike become one record with a count, per window of time.

An overlay's ``aggregate`` asks for it. The first event of a window stands for all that
follow it in the window; which events are alike is decided on redacted values.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_otel.event import RedactedEvent, Slot
from jupyter_otel.schema import AggregateRule

MAX_OPEN = 10_000
"""Windows of one schema that may be open; beyond it the oldest is closed early."""


@dataclass(slots=True)
class Fold:
    """The first event of a window, and how many there were."""

    event: RedactedEvent
    subject: str
    ends_s: float
    """By the monotonic clock."""
    count: int = 1


class Folder:
    """Keeps the open windows of one schema. Not thread-safe.

    Args:
        rule: Which properties make events alike, and for how long.
        slots: Where those properties are among an event's values; one that policy
            drops makes no difference.
    """

    def __init__(self, rule: AggregateRule, slots: Sequence[Slot]) -> None:
        places = {slot.path: place for place, slot in enumerate(slots)}
        self._places = [places[path] for path in rule.by if path in places]
        self._window_s = rule.window_s
        self._open: OrderedDict[tuple[Any, ...], Fold] = OrderedDict()

    def add(self, event: RedactedEvent, subject: str, now_s: float) -> bool:
        """Take an event in; return whether it was folded into one before it."""
        key = self._key(event, subject)
        fold = self._open.get(key)
        if fold is not None and now_s < fold.ends_s:
            fold.count += 1
            return True
        # A window that is over waits under a key of its own until it is taken.
        if fold is not None:
            self._open[key, fold.ends_s] = self._open.pop(key)
        self._open[key] = Fold(event, subject, now_s + self._window_s)
        return False

    def take_closed(self, now_s: float) -> list[Fold]:
        """Remove and return the windows that are over, the oldest first."""
        surplus = len(self._open) - MAX_OPEN
        closed = [
            key
            for number, (key, fold) in enumerate(self._open.items())
            if fold.ends_s <= now_s or number < surplus
        ]
        return [self._open.pop(key) for key in closed]

    def next_end_s(self) -> float | None:
        """Return when the next window is over; None while none is open."""
        return min((fold.ends_s for fold in self._open.values()), default=None)

    def _key(self, event: RedactedEvent, subject: str) -> tuple[Any, ...]:
        values = [repr(event.values[place]) for place in self._places]
        return (event.provenance, subject, *values)
