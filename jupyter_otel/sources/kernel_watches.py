"""Which kernels of a server are watched: from their start to their end.

One socket of our own a kernel, on the event loop. It is no connection that the server
counts and nothing that it takes for activity, so it keeps no kernel from being culled.
Kernels behind a gateway have no socket to hear.

::

    started, loaded late ──▶ open ─────────(a moment)───▶ connect_iopub ──▶ IopubWatch
    restarted ─────────────▶ restarted ────(a moment)───▶ connect_iopub ──▶ …
    died, shut down ───────▶ gone
"""

from collections.abc import Callable
from typing import Any

from jupyter_otel.sources.faults import HookFaults
from jupyter_otel.sources.iopub_socket import IopubSocket
from jupyter_otel.sources.iopub_watch import IopubWatch
from jupyter_otel.sources.kernel_executions import KernelExecutions, RunningExecutions

# A kernel is announced a little before its server knows it.
_TRIES_S = (0.0, 0.05, 0.2, 1.0, 5.0)


class KernelWatches:
    """Opens and closes the watch over each kernel.

    Its methods never raise: they are the edge of the hooks.

    Args:
        kernel_manager: The server's.
        running: The tables of executions.
        make: Makes the ear of one kernel.
        call_later: Runs something on the event loop after so many seconds.
    """

    def __init__(
        self,
        kernel_manager: Any,
        running: RunningExecutions,
        make: Callable[[KernelExecutions], IopubWatch],
        call_later: Callable[[float, Callable[[], None]], Any],
    ) -> None:
        self._kernel_manager = kernel_manager
        self._running = running
        self._make = make
        self._call_later = call_later
        self._open: dict[str, _Watch] = {}
        self._revived: set[str] = set()
        """Kernels that died, whose restart is still to be announced."""
        self._faults = HookFaults("the watch over kernels")

    def open(self, kernel_id: str) -> None:
        """Watch a kernel from a moment later on, unless it is watched already."""
        if kernel_id not in self._open:
            self._try(kernel_id, 0)

    def died(self, kernel_id: str) -> None:
        """End what a kernel ran that died and is about to be restarted."""
        self._end(kernel_id)
        self._revived.add(kernel_id)
        self._try(kernel_id, 0)

    def restarted(self, kernel_id: str) -> None:
        """End what a kernel ran that was restarted, and hear it anew.

        After a death all of that is done: what has been asked since runs.
        """
        if kernel_id in self._revived:
            self._revived.discard(kernel_id)
            return
        self._end(kernel_id)
        self._try(kernel_id, 0)

    def gone(self, kernel_id: str) -> None:
        """End what a kernel ran that died for good or was shut down."""
        self._end(kernel_id)
        self._open.pop(kernel_id, None)
        self._revived.discard(kernel_id)

    def _end(self, kernel_id: str) -> None:
        # The edge of a hook: called by whoever emitted the event.
        try:
            watch = self._open.get(kernel_id)
            if watch is not None:
                watch.disconnect()
            self._running.kernel_gone(kernel_id)
        except Exception as error:  # noqa: BLE001
            self._faults.note(error)

    def _try(self, kernel_id: str, attempt: int) -> None:
        if attempt < len(_TRIES_S):
            self._call_later(
                _TRIES_S[attempt], lambda: self._connect(kernel_id, attempt)
            )

    def _connect(self, kernel_id: str, attempt: int) -> None:
        # The edge of a hook: called by the event loop.
        try:
            self._sweep()
            kernel = self._kernel(kernel_id)
            if kernel is None:
                self._try(kernel_id, attempt + 1)
                return
            watch = self._open.get(kernel_id)
            if watch is None:
                watch = _Watch(self._running.of(kernel_id))
                self._open[kernel_id] = watch
                self._follow(kernel_id)
            watch.connect(kernel, self._make(watch.executions))
        except Exception as error:  # noqa: BLE001
            self._faults.note(error)

    def _kernel(self, kernel_id: str) -> Any:
        """Return a kernel that is there and has a socket: behind a gateway none has."""
        if kernel_id not in self._kernel_manager:
            return None
        kernel = self._kernel_manager.get_kernel(kernel_id)
        return kernel if getattr(kernel, "iopub_port", 0) else None

    def _follow(self, kernel_id: str) -> None:
        """Hear of the kernel's death; these calls go with the kernel."""
        add = self._kernel_manager.add_restart_callback
        add(kernel_id, lambda: self.died(kernel_id), "restart")
        add(kernel_id, lambda: self.gone(kernel_id), "dead")

    def _sweep(self) -> None:
        """Let kernels go whose end nobody announced."""
        for kernel_id in list(self._open):
            if kernel_id not in self._kernel_manager:
                self.gone(kernel_id)


class _Watch:
    """The socket at one kernel, through all its restarts."""

    def __init__(self, executions: KernelExecutions) -> None:
        self.executions = executions
        self._socket: IopubSocket | None = None
        self._ear: IopubWatch | None = None

    def connect(self, kernel: Any, ear: IopubWatch) -> None:
        """Hear what the kernel says from now on."""
        if self._socket is not None:
            return
        self._socket = IopubSocket(
            kernel.connect_iopub(), ear.take, self.executions.is_told_by_askers
        )
        self._ear, ear.catch_up = ear, self._socket.read_now

    def disconnect(self) -> None:
        """Hear no more than what was said until now."""
        if self._socket is not None:
            self._socket.read_now()
            self._socket.close()
        if self._ear is not None:
            self._ear.close()
        self._socket = self._ear = None
