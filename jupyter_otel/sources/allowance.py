"""How much one sender may hand in: a steady rate, and a store for bursts."""

import time
from collections.abc import Callable


class Allowance:
    """Grows with time and shrinks with each charge; below nothing one has to wait.

    Args:
        per_s: How much comes back each second.
        burst: How much there is at most, and at the beginning.
        now_s: A clock.
    """

    def __init__(
        self, per_s: float, burst: float, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._now_s = now_s
        self._left = burst
        self._at_s = now_s()

    @property
    def left(self) -> float:
        """How much there is now; below nothing it is owed."""
        self._grow()
        return self._left

    def charge(self, amount: float) -> None:
        """Take something out, which may leave a debt."""
        self._grow()
        self._left -= amount

    def wait_s(self) -> float:
        """Return how long to wait until nothing is owed."""
        return max(-self.left, 0.0) / self._per_s

    def _grow(self) -> None:
        now_s = self._now_s()
        # A clock of the day may be set back.
        grown = self._left + max(now_s - self._at_s, 0.0) * self._per_s
        self._left, self._at_s = min(grown, self._burst), now_s
