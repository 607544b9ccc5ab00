"""The executions that run in this kernel: which is whose, and in which span.

A cell is told apart by the id of its request, which ipykernel keeps in a context
variable of its own: so it is the right one in subshells and awaited code, too. What a
request asks of us is read here; what is done about it is ``extension.py``'s.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from threading import get_ident
from typing import Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.trace import Span, set_span_in_context

from jupyter_otel_kernel.trace_parent import span_of

_NONE: Mapping[str, Any] = {}


class Request(NamedTuple):
    """What an execute request says to us."""

    msg_id: str
    span: Span | None
    """The execution, as the sender sees it."""
    listens: bool
    """Whether the server takes kernel events."""
    datasets: bool
    """Whether it wants to know which data was opened."""


class Cell:
    """One execution, from its first hook to its last."""

    __slots__ = ("_older_threads", "_tokens", "depth", "own_span", "request")

    def __init__(self, request: Request, own_span: Span | None = None) -> None:
        self.request = request
        self.own_span = own_span
        """In ``spans`` mode: below the request's."""
        self._older_threads = _thread_ids() if request.listens else frozenset()
        self.depth = 1
        """How many ``run_cell`` of this request are under way, one in the other."""
        self._tokens: list[Token[Any]] = []

    def enter(self) -> None:
        """Make it, and its span, the current one of this thread or task."""
        span = self.own_span or self.request.span
        self._tokens.append(_CURRENT.set(self))
        if span is not None:
            self._tokens.append(otel_context.attach(set_span_in_context(span)))

    def leave(self) -> None:
        """Take that back, where it was done.

        A cell that awaits was entered in a task and is left outside it; what it had
        set has ended with the task. `opentelemetry.context.detach` would log an error.
        """
        while self._tokens:
            token = self._tokens.pop()
            with suppress(ValueError):
                token.var.reset(token)

    def precedes_this_thread(self) -> bool:
        """Return whether the calling thread began after the cell did."""
        return self.request.listens and get_ident() not in self._older_threads


_CURRENT: ContextVar[Cell | None] = ContextVar("jupyter_otel_cell", default=None)


_running: dict[str, Cell] = {}


def begin_table() -> dict[str, Cell]:
    """Return an empty table of running cells, by the message id of their requests.

    It is its owner's to keep; `current` looks there from now on.
    """
    global _running  # noqa: PLW0603 - a process has one kernel
    _running = {}
    return _running


def current() -> Cell | None:
    """Return the cell that the calling code belongs to, where that can be told.

    It can in the cell's own code, in its tasks, and in threads that got a copy of the
    context, also after the cell's end; in other threads while no other cell runs, if
    they began within the cell.
    """
    cell = _CURRENT.get()
    if cell is None and len(_running) == 1:
        cell = next(iter(_running.values()), None)
        if cell is not None and not cell.precedes_this_thread():
            return None
    return cell


def _thread_ids() -> frozenset[int | None]:
    return frozenset(thread.ident for thread in threading.enumerate())


def request_of(message: Mapping[str, Any], default: Span | None) -> Request | None:
    """Return what an execute request says, None if the message is none.

    Args:
        message: A kernel message, as ipykernel gives it.
        default: The span where the request names none.
    """
    header = message.get("header") or _NONE
    if header.get("msg_type") != "execute_request":
        return None
    metadata = message.get("metadata") or _NONE
    asks = metadata.get("jupyter_otel")
    if not isinstance(asks, dict):
        asks = _NONE
    return Request(
        str(header.get("msg_id", "")),
        span_of(metadata.get("traceparent")) or default,
        asks.get("listens") is True,
        asks.get("datasets") is True,
    )
