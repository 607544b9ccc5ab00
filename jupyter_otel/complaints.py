"""Log lines about trouble that may come a thousand times a second: one a minute each.

A line never holds event data: who calls gives a reason and a text without any.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

_log = logging.getLogger("jupyter_otel")

INTERVAL_S = 60.0


class Complaints:
    """Writes the first line of each reason, then one a minute with how many there were.

    Safe in any thread.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._next_s: dict[str, float] = {}
        self._silent: Counter[str] = Counter()

    def say(self, reason: str, text: str) -> None:
        """Log ``text`` as a warning, unless this reason's minute is not over."""
        now_s = self._now_s()
        with self._lock:
            if now_s < self._next_s.get(reason, now_s):
                self._silent[reason] += 1
                return
            self._next_s[reason] = now_s + INTERVAL_S
            silent = self._silent.pop(reason, 0)
        _log.warning("%s%s", text, f" ({silent} times more before)" if silent else "")
