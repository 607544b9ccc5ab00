"""Terminals that are opened and closed, as events; never what is in them.

A mixin over whatever class manages a server's terminals: it is told of each
pseudo-terminal when the server begins to read it and when that ends.

::

    create ─▶ start_reading   opened
    terminate (a request, the culler, the server's end) ─▶ on_eof   closed
    the shell's own end ───────────────────────────────── ▶ on_eof   closed
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakKeyDictionary

from jupyter_otel.event import Attribution, Intake, Person, SpanContext
from jupyter_otel.schema import Schema
from jupyter_otel.sources.derived_class import derive
from jupyter_otel.sources.faults import HookEdge

TERMINAL_SCHEMA = "https://events.jupyter.org/jupyter_otel/terminal/v1"

Reason = Literal["client", "exited", "culled", "server_stopped"]


@dataclass(slots=True, eq=False)
class _Open:
    """One terminal that is open."""

    terminal_id: str
    person: Person | None
    """Who opened it: its end is theirs too."""
    since_s: float
    reason: Reason = "exited"
    """Of its end; this one, unless somebody brings it about."""
    span: SpanContext | None = None
    """Of the request that ends it, if that is the same person's: what somebody else
    asked for is no part of their record."""


@dataclass(slots=True, eq=False)
class TerminalCapture:
    """Reports the terminals of one server. Its methods never raise."""

    intake: Intake
    schema: Schema
    attribution: Callable[[], Attribution]
    """Whose the request is that is being answered now, if any is."""
    now_s: Callable[[], float] = time.monotonic
    _open: WeakKeyDictionary[Any, _Open] = field(default_factory=WeakKeyDictionary)
    _edge: HookEdge = field(default_factory=lambda: HookEdge("the watch on terminals"))

    def opened(self, terminal: Any) -> None:
        """Report one that is read from now on."""
        with self._edge:
            attribution = self.attribution()
            made = _Open(uuid.uuid4().hex, attribution.person, self.now_s())
            self._open[terminal] = made
            event = {"action": "opened", "terminal_id": made.terminal_id}
            self.intake.emit(self.schema, event, attribution)

    def ends(self, terminal: Any, *, server_stops: bool) -> None:
        """Note that one is about to be ended, and by whom."""
        with self._edge:
            found = None if terminal is None else self._open.get(terminal)
            if found is None:
                return
            attribution = self.attribution()
            is_theirs = attribution.person == found.person
            found.span = attribution.span if is_theirs else None
            if server_stops:
                found.reason = "server_stopped"
            else:
                found.reason = "culled" if attribution.person is None else "client"

    def server_stops(self) -> None:
        """Report the end of all that are open: nobody may come to read it."""
        for terminal in list(self._open):
            self.ends(terminal, server_stops=True)
            self.closed(terminal)

    def closed(self, terminal: Any) -> None:
        """Report one that has ended; once, however often it is told."""
        with self._edge:
            found = self._open.pop(terminal, None)
            if found is None:
                return
            event = {
                "action": "closed",
                "terminal_id": found.terminal_id,
                "reason": found.reason,
                "duration_ms": round((self.now_s() - found.since_s) * 1e3, 3),
            }
            attribution = Attribution(person=found.person, span=found.span)
            self.intake.emit(self.schema, event, attribution)


class TerminalWatchMixin:
    """Over a manager of terminals; see `watching`."""

    otel_capture: TerminalCapture
    _otel_stops = False

    def start_reading(self, ptywclients: Any) -> None:
        """Read a new terminal."""
        super().start_reading(ptywclients)  # type: ignore[misc]
        self.otel_capture.opened(ptywclients)

    def on_eof(self, ptywclients: Any) -> None:
        """End a terminal whose process has ended."""
        super().on_eof(ptywclients)  # type: ignore[misc]
        self.otel_capture.closed(ptywclients)

    async def terminate(self, name: str, force: bool = False) -> None:
        """End a terminal's process."""
        terminal = self.terminals.get(name)  # type: ignore[attr-defined]
        self.otel_capture.ends(terminal, server_stops=self._otel_stops)
        await super().terminate(name, force=force)  # type: ignore[misc]

    async def terminate_all(self) -> None:
        """End all terminals: the server stops."""
        self._otel_stops = True
        await super().terminate_all()  # type: ignore[misc]


def watching(base: type, capture: TerminalCapture) -> type:
    """Return a subclass of a manager of terminals that reports them."""
    return derive(TerminalWatchMixin, base, otel_capture=capture)
