"""The dataset hooks of one shell: installed, told of each cell, taken out again."""

from __future__ import annotations

import os
import time
from types import ModuleType
from typing import Any, Callable

from jupyter_otel_kernel import cells, forks
from jupyter_otel_kernel.datasets.accesses import Access, Accesses
from jupyter_otel_kernel.datasets.cell_log import CellLog
from jupyter_otel_kernel.datasets.functions import FUNCTIONS, Function
from jupyter_otel_kernel.datasets.targets import names_of, operation_of
from jupyter_otel_kernel.datasets.uris import clean
from jupyter_otel_kernel.datasets.wrapping import Wrappers
from jupyter_otel_kernel.imports import ImportHook

_MAX_FOLLOWED = 4


class Hooks:
    """Wraps what opens data, and reports what a cell that asks for it opens.

    Args:
        shell: IPython's, whose cells have an `open` of their own.
        accesses: Where calls that opened data are noted.
        when_over: Called at the end.
    """

    def __init__(
        self, shell: Any, accesses: Accesses, when_over: Callable[[], None]
    ) -> None:
        self._shell, self._accesses, self._when_over = shell, accesses, when_over
        self._generation = forks.generation
        self._running: dict[str, CellLog] = {}
        """By the message id of each cell that runs."""
        self._followed: list[CellLog] = []
        """Of the last cells that ended: their tasks and threads may go on."""
        self._of_no_cell: CellLog | None = None
        self._is_over = False
        self.faults = 0
        """How often a hook failed, which changes nothing for its caller."""
        self._wrappers = Wrappers(self._called)
        self._import_hook = ImportHook(FUNCTIONS, self._imported)
        self._import_hook.install()
        self._wrappers.replace_value(shell.user_ns, "open")

    def cell_started(self, cell: cells.Cell) -> None:
        """Take note that a cell begins whose request asks for datasets."""
        self._wrappers.leave()
        cell.dataset_log = self._running[cell.msg_id] = CellLog(cell.msg_id)
        self._wrappers.full = None

    def cell_ended(self, cell: cells.Cell) -> None:
        """Emit what is left to say of a cell."""
        log = self._running.pop(cell.msg_id, None)
        if log is None:
            return
        self._wrappers.full = None
        self._end(log)
        self._follow(log)
        while len(self._followed) > _MAX_FOLLOWED:
            self._forget(self._followed.pop(0))

    def uninstall(self) -> None:
        """Put every function back that was wrapped."""
        self._is_over = True
        self._wrappers.full = None
        self._import_hook.uninstall()
        self._wrappers.restore_all(self._shell.user_ns)
        for log in (*self._running.values(), *self._followed):
            self._end(log)
        self._running.clear()
        self._followed.clear()
        self._when_over()

    def record(self, uri: str | os.PathLike[str], access: dict[str, Any]) -> bool:
        """Report a dataset that user code names itself; return whether it was."""
        # The edge of a hook: whoever calls is user code.
        try:
            log, cleaned = self._log(), clean(os.fspath(uri))
            if log is None or cleaned is None:
                return False
            if not log.note(access["operation"], access["status"], cleaned):
                return False
            known = {name: it for name, it in access.items() if it is not None}
            return self._accesses.report(log, {**known, "uri": cleaned}, time.time_ns())
        except Exception:  # noqa: BLE001
            self.faults += 1
            return False

    def _imported(self, module: ModuleType) -> None:
        self._wrappers.begin(module)
        for function in FUNCTIONS[module.__name__]:
            self._wrap(module, function)

    def _wrap(self, module: ModuleType, function: Function) -> None:
        # The edge of a hook: it would break the user's import.
        try:
            self._wrappers.wrap(module, function)
        except Exception:  # noqa: BLE001
            self.faults += 1

    def _called(
        self, function: Function, library: str, args: Any, kwargs: Any, succeeded: bool
    ) -> None:
        # The edge of a hook: it stands in the middle of the user's call.
        try:
            log = self._log()
            if log is None:
                return
            if log.is_full:
                self._count(log)
                return
            operation = operation_of(function, args, kwargs)
            status = "ok" if succeeded else "error"
            for name in names_of(function, library, args, kwargs):
                if log.note(operation, status, name):
                    now_ns = time.time_ns()
                    self._accesses.add(
                        Access(log, function, library, operation, status, name, now_ns)
                    )
        except Exception:  # noqa: BLE001
            self.faults += 1

    def _log(self) -> CellLog | None:
        """Return the log of the calling code's cell, None where nothing is recorded."""
        # In a forked child nothing is reported; a wrapper may outlive the hooks.
        if self._is_over or forks.generation != self._generation:
            return None
        cell = cells.current()
        if cell is not None and not cell.asks_for_datasets:
            return None
        log = self._log_of_no_cell() if cell is None else self._log_of(cell)
        if not log.is_followed and log.msg_id not in self._running:
            self._follow(log)
        return log

    def _log_of(self, cell: cells.Cell) -> CellLog:
        if cell.dataset_log is None:
            cell.dataset_log = CellLog(cell.msg_id)
        log: CellLog = cell.dataset_log
        return log

    def _log_of_no_cell(self) -> CellLog:
        if self._of_no_cell is None:
            self._of_no_cell = CellLog("")
        return self._of_no_cell

    def _follow(self, log: CellLog) -> None:
        log.is_followed = True
        self._followed.append(log)

    def _forget(self, log: CellLog) -> None:
        """Say the rest; a cell's own log stays where its tasks and threads find it."""
        log.is_followed = False
        self._end(log)
        if log is self._of_no_cell:
            self._of_no_cell = None

    def _end(self, log: CellLog) -> None:
        self._accesses.report_all()
        self._accesses.summarize(log, time.time_ns())

    def _count(self, log: CellLog) -> None:
        log.further += 1
        self._wrappers.full = cells.current()
