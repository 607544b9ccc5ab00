"""The executions that run in this kernel: which is whose, and in which span.

A cell is told apart by the id of its request, which ipykernel keeps in a context
variable of its own: so it is the right one in subshells and awaited code, too. What a
request asks of us is read here; what is done about it is ``extension.py``'s, how its
span gets into OpenTelemetry's context ``current_span.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from jupyter_otel_kernel.trace_parent import first_valid

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span


class Cell:
    """One execution, from its first hook to its last.

    Args:
        msg_id: Of its request.
        metadata: The request's.
        default: The ``traceparent`` of the span where they name none.
    """

    listens = False
    """Whether the server takes kernel events."""
    asks_for_datasets = False
    """Whether it wants to know which data was opened."""
    depth = 1
    """How many ``run_cell`` of this request are under way, one in the other."""
    dataset_log: Any = None
    """What ``datasets`` keeps of it, as long as anything of the cell is there."""
    own_span: Span | None = None
    """In ``spans`` mode: below the execution's."""
    context: Context | None = None
    """What `current_span` has made for its code, and nothing but its span."""
    attached: Context | None = None
    """The same with what was attached before it, where anything was."""
    before: Context | None = None
    """And that alone."""

    def __init__(
        self, msg_id: str, metadata: Mapping[str, Any], default: str | None
    ) -> None:
        self.msg_id = msg_id
        self.traceparents = (metadata.get("traceparent"), default)
        """Headers as they came; the first valid one names the execution's span."""
        asks = metadata.get("jupyter_otel")
        if type(asks) is dict:
            self._take(asks)

    def _take(self, asks: Mapping[str, Any]) -> None:
        self.listens = asks.get("listens") is True
        self.asks_for_datasets = self.listens and asks.get("datasets") is True

    def has_span(self) -> bool:
        """Return whether its code may run in one: not where nobody names any."""
        return self.own_span is not None or self.traceparents != (None, None)

    def traceparent(self) -> str:
        """Return the header of its execution's span, empty where there is none."""
        return first_valid(*self.traceparents)

    def enter(self) -> None:
        """Make it the current one of this thread or task."""
        _CURRENT.set(self)

    def leave(self) -> None:
        """Take that back, where it was done.

        A cell that awaits was entered in a task and is left outside it: what it had
        set has ended with the task.
        """
        if _CURRENT.get() is self:
            _CURRENT.set(None)


_CURRENT: ContextVar[Cell | None] = ContextVar("jupyter_otel_cell", default=None)


def current() -> Cell | None:
    """Return the cell that the calling code belongs to, where that is sure.

    It is in the cell's own code, in its tasks, and in threads that got a copy of the
    context, also after the cell's end. Another thread may be of any cell: who started
    it, and for whom, nobody notes, and the one that runs beside it may be somebody
    else's.
    """
    return _CURRENT.get()


def msg_id_of(message: Mapping[str, Any]) -> str | None:
    """Return the id of an execute request, as ipykernel gives it; None for others."""
    if message.get("msg_type") != "execute_request":
        return None
    msg_id: str = message["msg_id"]
    return msg_id
