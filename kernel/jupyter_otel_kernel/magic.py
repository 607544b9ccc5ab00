"""The line magic ``%otel``: the current trace, and what is recorded of this kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Protocol

from jupyter_otel_kernel.mode import VARIABLE, Mode, SpansMode

if TYPE_CHECKING:
    from jupyter_otel_kernel.channel import Channel

NAME = "otel"


class Told(Protocol):
    """What the magic tells of."""

    mode: Mode
    channel: Channel | None
    faults: int

    @property
    def datasets(self) -> object:
        """The hooks that record datasets; None: there are none."""

    def traceparent(self) -> str:
        """Return the header of the calling code's span, empty where there is none."""


class OtelMagic:
    """``%otel`` in one shell; whatever had that name before comes back at the end."""

    def __init__(self, shell: Any, told: Told) -> None:
        self._told = told
        self._magics: dict[str, Callable[[str], None]] = shell.magics_manager.magics[
            "line"
        ]
        self._before = self._magics.get(NAME)
        self._magics[NAME] = self.otel

    def remove(self) -> None:
        """Take it out of the shell, unless somebody else has replaced it."""
        if self._magics.get(NAME) != self.otel:
            return
        del self._magics[NAME]
        if self._before is not None:
            self._magics[NAME] = self._before

    def otel(self, line: str = "") -> None:
        """Show the current trace and what is recorded about this kernel.

        Usage: %otel
        """
        if line.strip():
            from IPython.core.error import UsageError  # noqa: PLC0415 - shown in IPython only

            raise UsageError(
                f"%otel takes no argument, got {line.strip()!r}. It shows the current"
                " trace id and what is recorded about this kernel."
            )
        print("\n".join(f"{name:<9} {text}" for name, text in self._lines()))  # noqa: T201 - it was asked for

    def _lines(self) -> list[tuple[str, str]]:
        channel = self._told.channel
        lines = [
            ("trace", self._told.traceparent()[3:35] or "none here"),
            ("mode", _mode(self._told.mode)),
            ("events", _events(channel)),
            ("datasets", _datasets(self._told)),
        ]
        failed = self._told.faults + (0 if channel is None else channel.faults)
        return [*lines, ("failed", f"{failed} of our own hooks")] if failed else lines


def _mode(mode: Mode) -> str:
    if isinstance(mode, SpansMode):
        queue = mode.spans.queue
        done = f"{queue.sent} sent, {queue.lost} lost"
        return f"spans: each cell is a span, as are yours without a provider; {done}"
    if mode.lack:
        return f"context; {VARIABLE}=spans cannot be had: {mode.lack}"
    return "context: spans of your own OpenTelemetry setup join the cell's trace"


def _events(channel: Channel | None) -> str:
    if channel is None:
        return "nobody listens"
    listens = "the server listens" if channel.listens else "nobody listens"
    return f"{listens}; {channel.sent} sent, {channel.lost_in_all} lost"


def _datasets(told: Told) -> str:
    if told.datasets is None or told.channel is None:
        return "not recorded"
    if not told.channel.listens:
        return "not recorded now"
    return "recorded: which data is opened, not what is in it"
