"""Kernels that were started, stopped or restarted, as their managers tell of it.

Reports nothing: it tells the watches over kernels what their sockets cannot hear. What
a manager tells the server's event bus is heard on its way there: the bus itself is
silent while nobody listens, and any listener makes it validate.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jupyter_otel.sources.derived_class import derive
from jupyter_otel.sources.faults import HookFaults

KERNEL_ACTIONS_SCHEMA = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"


class KernelActions:
    """Calls back with the id of each kernel that an action was done to.

    Args:
        calls: What to call, by the action's name.
    """

    def __init__(self, calls: Mapping[str, Callable[[str], None]]) -> None:
        self._calls = calls
        self._faults = HookFaults("the watch over kernel actions")

    def take(self, schema_id: str, event: Mapping[str, Any]) -> None:
        """Look at one event of a manager's. Never raises: the edge of a hook."""
        try:
            if schema_id == KERNEL_ACTIONS_SCHEMA and event.get("status") != "error":
                call = self._calls.get(str(event.get("action")))
                if call is not None:
                    call(str(event.get("kernel_id")))
        except Exception as error:  # noqa: BLE001
            self._faults.note(error)


class KernelActionsMixin:
    """Over a kernel manager's class; see `telling`."""

    otel_actions: KernelActions

    def emit(self, schema_id: str, data: Mapping[str, Any]) -> None:
        """Tell the bus, and us."""
        self.otel_actions.take(schema_id, data)
        base: Any = super()
        base.emit(schema_id=schema_id, data=data)


def telling(base: type, actions: KernelActions) -> type:
    """Return a subclass of a kernel manager's class that tells what is done to it."""
    return derive(KernelActionsMixin, base, otel_actions=actions)
