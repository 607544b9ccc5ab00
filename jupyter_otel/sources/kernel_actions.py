"""Kernels that were stopped or restarted, heard on the server's event bus.

Reports nothing: it tells the capture of executions what its connections cannot see.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jupyter_otel.sources.bus_handler import BusHandler

KERNEL_ACTIONS_SCHEMA = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"

_ENDING = frozenset({"shutdown", "restart"})


class KernelActionsHandler(BusHandler):
    """Calls back with the id of each kernel that was stopped or restarted."""

    def __init__(self, kernel_gone: Callable[[str], None]) -> None:
        super().__init__("the watch over kernel actions")
        self._kernel_gone = kernel_gone

    def take(self, event: Mapping[str, Any]) -> None:
        """Look at one event of the bus."""
        if event.get("__schema__") != KERNEL_ACTIONS_SCHEMA:
            return
        if event.get("action") in _ENDING and event.get("status") != "error":
            self._kernel_gone(str(event.get("kernel_id")))
