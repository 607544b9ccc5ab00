"""Time that moves only when a test says so."""


class FakeClock:
    """A clock for whatever takes one: nanoseconds since the epoch, or seconds."""

    def __init__(self, start_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Return the time, as `time.time_ns` does."""
        return self._now_ns

    def monotonic(self) -> float:
        """Return the time, as `time.monotonic` does."""
        return self._now_ns / 1e9

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ns += round(seconds * 1e9)
