"""The time that rows are aged by: the machine's clock at start, then one without jumps.

A clock that is set while the process runs, by NTP or by hand, makes nothing old, and
nothing young. Time that the machine sleeps counts.
"""

import time

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SteadyClock:
    """Nanoseconds since the epoch, as the machine's clock had them at first."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.clock_gettime_ns(_STEADY)

    def now_ns(self) -> int:
        """Return the time."""
        return self._offset_ns + time.clock_gettime_ns(_STEADY)
