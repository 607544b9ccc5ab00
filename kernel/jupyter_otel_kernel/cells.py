"""The executions that run in this kernel: which is whose, and in which span.

A cell is told apart by the id of its request, which ipykernel keeps in a context
variable of its own: so it is the right one in subshells and awaited code, too. What a
request asks of us is read here; what is done about it is ``extension.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    get_current_span,
    set_span_in_context,
)

from jupyter_otel_kernel.trace_parent import RemoteSpan


class Cell(RemoteSpan):
    """One execution, from its first hook to its last; as a span, what started it here.

    Args:
        msg_id: Of its request.
        metadata: The request's.
        default: The span where they name none.
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
    _before: Context | None = None
    _entered: Context | None = None

    def __init__(
        self, msg_id: str, metadata: Mapping[str, Any], default: RemoteSpan | None
    ) -> None:
        # What the base's own constructor does: a call costs as much as all of this.
        self._traceparent = metadata.get("traceparent")
        self._default = default
        self.msg_id = msg_id
        asks = metadata.get("jupyter_otel")
        if type(asks) is dict:
            self._take(asks)

    def _take(self, asks: Mapping[str, Any]) -> None:
        self.listens = asks.get("listens") is True
        self.asks_for_datasets = self.listens and asks.get("datasets") is True

    def enter(self) -> None:
        """Make its span the current one of this thread or task."""
        if self.listens:  # nobody else asks whose some code is
            _CURRENT.set(self)
        if self._traceparent is None and self._default is self.own_span is None:
            return
        self._before = get_current()
        span = self.own_span or self
        self._entered = Context({**self._before, _SPAN_KEY: span})
        attach(self._entered)

    def is_entered_here(self) -> bool:
        """Return whether the calling code runs in its context, and set none itself."""
        return get_current() is self._entered

    def leave(self) -> None:
        """Take that back, where it was done; what user code attached itself stays.

        A cell that awaits was entered in a task and is left outside it: what it had
        set has ended with the task.
        """
        if self.listens and _CURRENT.get() is self:
            _CURRENT.set(None)
        before, entered = self._before, self._entered
        if before is None:
            return
        self._before = self._entered = None  # which holds this cell: a cycle
        now = get_current()
        if now is entered:
            attach(before)
        elif self._is_of_a_cell(get_current_span(now)):
            attach(set_span_in_context(get_current_span(before), now))

    def _is_of_a_cell(self, span: Span) -> bool:
        """Return whether it is ours, or one that user code detached itself back to."""
        return span is self.own_span or isinstance(span, Cell)


# Under which a context holds its span: `set_span_in_context` takes thrice as long.
(_SPAN_KEY,) = set_span_in_context(INVALID_SPAN, Context())

_CURRENT: ContextVar[Cell | None] = ContextVar("jupyter_otel_cell", default=None)


def current() -> Cell | None:
    """Return the cell that the calling code belongs to, where that is sure.

    It is where the cell's request says that the server listens, in the cell's own code,
    in its tasks, and in threads that got a copy of the context, also after the cell's
    end. Another thread may be of any cell: who started it, and for whom, nobody notes,
    and the one that runs beside it may be somebody else's.
    """
    return _CURRENT.get()


def msg_id_of(message: Mapping[str, Any]) -> str | None:
    """Return the id of an execute request, as ipykernel gives it; None for others."""
    if message.get("msg_type") != "execute_request":
        return None
    msg_id: str = message["msg_id"]
    return msg_id
