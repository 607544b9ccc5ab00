"""Log lines about trouble that may come a thousand times a second: one a minute each.

A line never holds event data: who calls gives a reason and a text without any.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

_log = logging.getLogger("jupyter_otel")

INTERVAL_S = 60.0


class Complaints:
    """Writes the first line of each reason, then one a minute with how many there were.

    Safe in any thread, and in a signal handler.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = threading.RLock()
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
        more = f" ({silent} times more before)" if silent else ""
        # A handler of the host's logging may raise; a complaint must cost nobody
        # anything, least of all the thread that makes it.
        with suppress(Exception):
            _log.warning("%s%s", printable(text), more)


def printable(text: str) -> str:
    r"""Return text for people's eyes, ``\x1b`` for what would move a cursor.

    It cannot forge lines or colours of a log.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
