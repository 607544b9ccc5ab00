"""What happens around each cell: it becomes the current one, then no more.

Nothing of OpenTelemetry is imported for that, but in ``spans`` mode, which is
``mode.py``'s. Once user code imports the API the cell's span is the current one there
(``current_span.py``), and spans that it makes with its own provider become children of
the execution. Events for the server go through ``channel.py``, the dataset hooks are
``datasets``'.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_otel_kernel import cells, forks
from jupyter_otel_kernel.cells import Cell, msg_id_of
from jupyter_otel_kernel.imports import ImportHook
from jupyter_otel_kernel.magic import OtelMagic
from jupyter_otel_kernel.mode import mode_of

if TYPE_CHECKING:
    from types import ModuleType

    from jupyter_otel_kernel.channel import Channel
    from jupyter_otel_kernel.current_span import CurrentSpan

_API = "opentelemetry.trace"
_DATASETS = "jupyter_otel_kernel.datasets"


class DatasetHooks(Protocol):
    """What the module ``datasets`` returns when it is asked to ``install(shell)``."""

    def cell_started(self, cell: Cell) -> None:
        """Take note that a cell begins whose request asks for datasets."""

    def cell_ended(self, cell: Cell) -> None:
        """Emit what is left to say of a cell; the channel sends it right afterwards."""

    def uninstall(self) -> None:
        """Put every function back that was wrapped."""


class Extension:
    """Our hooks in one shell. They never raise, print or show what a cell contains."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._get_parent = shell.kernel.get_parent
        self._generation = forks.generation
        self._default = os.environ.get("TRACEPARENT") or None
        self._running: dict[str, Cell] = {}
        self._is_over = False
        self.mode = mode_of(os.environ)
        self._import_hook = ImportHook([_API], self._api_came)
        self._current_span: CurrentSpan | None = None
        """There once somebody has imported the API."""
        self.datasets: DatasetHooks | None = None
        self.channel: Channel | None = None
        """Opened by the first request that says that the server listens."""
        self._listens = False
        self._newest: Cell | None = None
        self.faults = 0
        """How often a hook failed, which is told to nobody but ``%otel``."""
        self._magic = OtelMagic(shell, self)

    def load(self) -> None:
        """Register the hooks; a cell that loads us belongs to them at once."""
        self._shell.events.register("pre_run_cell", self.pre_run_cell)
        self._shell.events.register("post_run_cell", self.post_run_cell)
        if sys.modules.get(_API) is None:
            self._import_hook.install()
        else:
            self._api_came()  # which waits for a thread that is just importing it
        self.pre_run_cell()

    def unload(self) -> None:
        """Take back the hooks and what was set for the cell that unloads us.

        A cell that runs in a subshell is left by the hook that stays until then.
        """
        events = self._shell.events
        events.unregister("pre_run_cell", self.pre_run_cell)
        self._import_hook.uninstall()
        cell = self._cell_here()
        if cell is not None:
            self._leave(cell)
            if cell.own_span is not None:
                cell.own_span.end()
        if self.datasets is not None:
            self.datasets.uninstall()
        if self.channel is not None:
            self.channel.close()
        self.mode.close()
        self._is_over = True
        self._retire()
        self._magic.remove()

    def pre_run_cell(self, _info: object = None) -> None:
        """Set the span context of the cell that begins."""
        # The edge of a hook: what escapes prints the cell's code into its output.
        try:
            if forks.generation == self._generation:
                message = self._get_parent()
                msg_id = msg_id_of(message)
                if msg_id in self._running:  # `run_cell` in a cell belongs to that
                    self._running[msg_id].depth += 1
                elif msg_id is not None:
                    self._begin(Cell(msg_id, message["metadata"], self._default))
        except BaseException:  # noqa: BLE001 - an interrupt in here would print, too
            self.faults += 1

    def post_run_cell(self, result: object = None) -> None:
        """Take back the span context of the cell that has ended."""
        # The edge of a hook, as above.
        try:
            if forks.generation == self._generation:
                cell = self._cell_here()
                if cell is not None:
                    cell.depth -= 1
                    if cell.depth == 0:
                        self._leave(cell)
                        if cell.own_span is not None:
                            self.mode.end_cell(cell.own_span, result)
            if self._is_over:
                self._retire()
        except BaseException:  # noqa: BLE001 - as above
            self.faults += 1

    def traceparent(self) -> str:
        """Return the header of the calling code's span, empty where there is none."""
        if self._current_span is not None:
            return self._current_span.traceparent()
        cell = cells.current()
        return cell.traceparent() if cell is not None else ""

    def _api_came(self, _module: ModuleType | None = None) -> None:
        # The edge of a hook: it would break the user's import.
        try:
            self._import_hook.uninstall()
            from jupyter_otel_kernel.current_span import (  # noqa: PLC0415 - many never do
                CurrentSpan,
            )

            current_span = CurrentSpan()
            cell = cells.current()
            if cell is not None:
                current_span.enter(cell)
            self._current_span = current_span
        except Exception:  # noqa: BLE001
            self.faults += 1

    def _begin(self, cell: Cell) -> None:
        self._running[cell.msg_id] = self._newest = cell
        if self.mode.has_cell_spans:
            cell.own_span = self.mode.start_cell(cell)
        if self._current_span is not None:
            self._current_span.enter(cell)
        cell.enter()
        if cell.listens or self._listens:
            self._listen(cell)

    def _cell_here(self) -> Cell | None:
        """Return the running cell whose hook calls.

        It mostly is the newest. If it awaits its last hook comes outside its task.
        """
        newest = self._newest
        if newest is not None and newest is cells.current():
            return newest
        msg_id = msg_id_of(self._get_parent())
        return self._running.get(msg_id) if msg_id is not None else None

    def _listen(self, cell: Cell) -> None:
        """Open the channel once somebody listens; say so when nobody does any more."""
        if self.channel is None:
            from jupyter_otel_kernel.channel import (  # noqa: PLC0415 - few need it
                open_channel,
            )

            self.channel = open_channel(self._shell.kernel, self.traceparent)
        self.channel.listens = self._listens = cell.listens
        if cell.asks_for_datasets:
            self._datasets_of(cell)

    def _retire(self) -> None:
        """Take back what is left, once no cell needs it any more."""
        if self._running:
            return
        self._shell.events.unregister("post_run_cell", self.post_run_cell)
        if self._current_span is not None:
            self._current_span.close()

    def _leave(self, cell: Cell) -> None:
        del self._running[cell.msg_id]
        self._newest = None
        try:
            if self.datasets is not None:
                self.datasets.cell_ended(cell)
            if self.channel is not None:
                self.channel.flush()
        finally:
            cell.leave()
            if self._current_span is not None:
                self._current_span.leave(cell)

    def _datasets_of(self, cell: Cell) -> None:
        if self.datasets is None:
            datasets = importlib.import_module(_DATASETS)
            self.datasets = datasets.install(self._shell)
        self.datasets.cell_started(cell)


_extension: Extension | None = None


def load(shell: Any) -> None:
    """Load ours into a shell, unless it has no kernel."""
    global _extension  # noqa: PLW0603 - a process has one shell
    if getattr(shell, "kernel", None) is None or _extension is not None:
        return
    _extension = Extension(shell)
    _extension.load()


def unload(_shell: Any) -> None:
    """Take ours out of the shell."""
    global _extension  # noqa: PLW0603 - as above
    if _extension is not None:
        _extension.unload()
        _extension = None
