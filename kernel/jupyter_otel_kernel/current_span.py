"""A cell's span as the current one of OpenTelemetry's API; imported once that is there.

::

    get_current() ──▶ CurrentSpan ──▶ the API's own runtime context
                           │          has nothing been attached here?
                           ▼
                      the cell that the calling code belongs to: its span

So a cell's span is current in each task and thread that got the cell's context, also in
one that began before the API was imported, and mostly nothing is attached. The API has
no public place for this: `_RUNTIME_CONTEXT` is private. Where a version lacks it, or
another runtime context is configured, the span of each cell is attached; then what
began before the import has none.
"""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

from opentelemetry import context as api
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace import (
    INVALID_SPAN,
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    Span,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from jupyter_otel_kernel.cells import Cell, current
from jupyter_otel_kernel.trace_parent import first_valid, traceparent_of

if TYPE_CHECKING:
    from contextvars import Token

_RUNTIME_CONTEXT = "_RUNTIME_CONTEXT"
# Under which a context holds its span: `set_span_in_context` takes thrice as long.
(_SPAN_KEY,) = set_span_in_context(INVALID_SPAN, Context())


class RemoteSpan(NonRecordingSpan):
    """The span that a header names, which is read when somebody asks for it.

    Most cells ask for none, and reading costs more than all else that is done for one.

    Args:
        traceparents: Headers as they came; the first valid one counts, if there is one.
    """

    _read: SpanContext | None = None

    def __init__(self, *traceparents: object) -> None:
        self._traceparents = traceparents

    def get_span_context(self) -> SpanContext:
        """Return its context, an invalid one if no span is named."""
        if self._read is None:
            self._read = _context_of(first_valid(*self._traceparents))
        return self._read

    def __repr__(self) -> str:
        return f"RemoteSpan({self.get_span_context()!r})"


def _context_of(traceparent: str) -> SpanContext:
    if not traceparent:
        return INVALID_SPAN_CONTEXT
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16))
    )


class CurrentSpan:
    """Stands before the API's runtime context, with the same three methods."""

    def __init__(self) -> None:
        api.get_current()  # versions before 1.21 have no runtime context until then
        self._beneath: Any = api
        self._nothing: Context | None = None
        """What is current where nothing was ever attached; None: cannot be told."""
        self._stand()

    def _stand(self) -> None:
        """Stand before what is there, if it is what we know."""
        beneath: Any = getattr(api, _RUNTIME_CONTEXT, None)
        if type(beneath) is ContextVarsRuntimeContext:
            self._beneath = beneath
            self._nothing = contextvars.Context().run(beneath.get_current)
            setattr(api, _RUNTIME_CONTEXT, self)

    def get_current(self) -> Context:
        """Return what is attached here; if nothing is, the context of the cell."""
        now: Context = self._beneath.get_current()
        if now is not self._nothing:
            return now
        cell = current()
        if cell is None or not cell.has_span():
            return now
        if cell.context is None:
            cell.context = Context({_SPAN_KEY: _span_of(cell)})
        return cell.context

    def attach(self, context: Context) -> Token[Context]:
        """Attach a context, as without us."""
        token: Token[Context] = self._beneath.attach(context)
        return token

    def detach(self, token: Token[Context]) -> None:
        """Take that back, as without us."""
        self._beneath.detach(token)

    def enter(self, cell: Cell) -> None:
        """Make a cell's span the current one where something is attached before it."""
        self._stand()  # a reload of the API's module makes another runtime context
        before = self._beneath.get_current()
        if before is self._nothing or not cell.has_span():
            return
        cell.before = before
        cell.attached = Context({**before, _SPAN_KEY: _span_of(cell)})
        self.attach(cell.attached)

    def leave(self, cell: Cell) -> None:
        """Take that back; what user code attached itself stays, without the span."""
        before, attached = cell.before, cell.attached
        cell.before = cell.attached = None
        now = self._beneath.get_current()
        if now is self._nothing:
            return
        if before is not None and now is attached:
            self.attach(before)
        elif _is_of_a_cell(get_current_span(now), cell):
            span = get_current_span(before or Context())
            self.attach(set_span_in_context(span, now))

    def traceparent(self) -> str:
        """Return the header of the calling code's span, empty where there is none."""
        context = get_current_span().get_span_context()
        return traceparent_of(context) if context.is_valid else ""

    def close(self) -> None:
        """Step back, unless somebody else stands before us."""
        if getattr(api, _RUNTIME_CONTEXT, None) is self:
            setattr(api, _RUNTIME_CONTEXT, self._beneath)


def _span_of(cell: Cell) -> Span:
    return cell.own_span or RemoteSpan(*cell.traceparents)


def _is_of_a_cell(span: Span, cell: Cell) -> bool:
    """Return whether it is ours, or one that user code detached itself back to."""
    return span is cell.own_span or isinstance(span, RemoteSpan)
