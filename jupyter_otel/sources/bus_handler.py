"""What every handler of ours on a jupyter_events bus has in common.

It hangs beside everybody else's handlers, on the thread of whoever emits: it never
raises, waits for a lock, formats, or changes the record.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Any

from jupyter_otel.sources.faults import HookFaults

_MAX_DEPTH = 4
"""How many events may each be caused by taking the one before."""


class BusHandler(logging.Handler):
    """A handler that is given an event logger's events one by one, as `take`."""

    def __init__(self, name: str) -> None:
        super().__init__(level=logging.NOTSET)
        self._inside = threading.local()
        self._faults = HookFaults(name)

    def take(self, event: Mapping[str, Any]) -> None:
        """Look at one event, capsule and all; it belongs to the bus."""
        raise NotImplementedError

    def createLock(self) -> None:  # noqa: N802  (logging's name)
        """Go without a lock: what takes events is safe in any thread."""
        self.lock = None

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802
        """Ignore the formatter that every event logger gives: nothing is formatted."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit what the filters let pass. From Python 3.13 on the base needs a lock."""
        if not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Take one event, and what it causes here or a signal handler emits meanwhile.

        Where each causes another there is an end, and a fault is noted.
        """
        depth = getattr(self._inside, "depth", 0)
        if depth == _MAX_DEPTH:
            self._faults.note(RecursionError())
            return
        self._inside.depth = depth + 1
        # The edge of a hook: an exception here would reach the event's producer.
        try:
            if isinstance(record.msg, dict):
                self.take(record.msg)
        except Exception as error:  # noqa: BLE001
            self._faults.note(error)
        finally:
            self._inside.depth = depth
