"""Kernels that were stopped or restarted, heard on the server's event bus.

Reports nothing: it tells the capture of executions what its connections cannot see.
"""

import logging
from collections.abc import Callable

from jupyter_otel.sources.faults import HookFaults

KERNEL_ACTIONS_SCHEMA = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"

_ENDING = frozenset({"shutdown", "restart"})


class KernelActionsHandler(logging.Handler):
    """Calls back with the id of each kernel that was stopped or restarted."""

    def __init__(self, kernel_gone: Callable[[str], None]) -> None:
        super().__init__(level=logging.NOTSET)
        self._kernel_gone = kernel_gone
        self._faults = HookFaults("the watch over kernel actions")

    def createLock(self) -> None:  # noqa: N802  (logging's name)
        """Go without a lock: there is no state."""
        self.lock = None

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802
        """Ignore the formatter that every event logger gives: nothing is formatted."""

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one event of the bus."""
        # The edge of a hook: an exception here would reach the event's producer.
        try:
            self._look(record.msg)
        except Exception as error:  # noqa: BLE001
            self._faults.note(error)

    def _look(self, event: object) -> None:
        if not isinstance(event, dict):
            return
        if event.get("__schema__") != KERNEL_ACTIONS_SCHEMA:
            return
        if event.get("action") in _ENDING and event.get("status") != "error":
            self._kernel_gone(str(event.get("kernel_id")))
