"""Kernels that were started, stopped or restarted, heard on the server's event bus.

Reports nothing: it tells the watches over kernels what their sockets cannot hear.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jupyter_otel.sources.bus_handler import BusHandler

KERNEL_ACTIONS_SCHEMA = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"


class KernelActionsHandler(BusHandler):
    """Calls back with the id of each kernel that an action was done to.

    Args:
        calls: What to call, by the action's name.
    """

    def __init__(self, calls: Mapping[str, Callable[[str], None]]) -> None:
        super().__init__("the watch over kernel actions")
        self._calls = calls

    def take(self, event: Mapping[str, Any]) -> None:
        """Look at one event of the bus."""
        if event.get("__schema__") != KERNEL_ACTIONS_SCHEMA:
            return
        call = self._calls.get(str(event.get("action")))
        if call is not None and event.get("status") != "error":
            call(str(event.get("kernel_id")))
