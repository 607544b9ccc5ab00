"""Dataset hooks that report to a list, in a cell that asks for them."""

import contextvars
import time
from types import SimpleNamespace

from IPython.core import interactiveshell

from jupyter_otel_kernel import cells
from jupyter_otel_kernel.datasets.accesses import SCHEMA, WAIT_S, Accesses
from jupyter_otel_kernel.datasets.hooks import Hooks


class Rig:
    """Hooks in this process; `run` runs Python as one cell of a kernel would."""

    def __init__(self):
        self.events = []
        """Data of the events, in order, and the id of the cell before each."""
        self.over = False
        self.user_ns = {"open": interactiveshell._modified_open}
        shell = SimpleNamespace(user_ns=self.user_ns)
        self.later = []
        """What is to be called in a little while."""
        self.accesses = Accesses(self._emit, self._call_later)
        self.hooks = Hooks(shell, self.accesses, self._end)

    @property
    def data(self):
        """Return the events without their cells."""
        return [data for _, data in self.events]

    def run(self, code, msg_id="m1", *, asks=True):
        """Run code as a cell whose request asks for datasets, or does not."""
        contextvars.copy_context().run(self._run, code, msg_id, asks)

    def _run(self, code, msg_id, asks):
        metadata = {"jupyter_otel": {"listens": True, "datasets": asks}}
        cell = cells.Cell(msg_id, metadata, None)
        cell.enter()
        if asks:
            self.hooks.cell_started(cell)
        try:
            exec(compile(code, "<cell>", "exec"), self.user_ns)  # noqa: S102 - a kernel
        finally:
            self.hooks.cell_ended(cell)

    def _emit(self, schema_id, data, msg_id, time_ns):
        assert abs(time.time_ns() - time_ns) < 60 * 10**9
        assert schema_id == SCHEMA
        assert None not in data.values()
        self.events.append((msg_id, data))
        return True

    def _call_later(self, delay_s, call):
        assert delay_s == WAIT_S
        self.later.append(call)

    def _end(self):
        self.over = True

    def close(self):
        """Take the hooks out; none of them may have failed unseen."""
        self.hooks.uninstall()
        assert (self.hooks.faults, self.accesses.faults) == (0, 0)
