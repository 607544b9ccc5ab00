"""How much the kernel does for traces: ``context``, or ``spans`` where it can.

The SDK is imported for ``spans`` only. What is missing for that is told by ``%otel``,
and by nothing else.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from jupyter_otel_kernel.cells import Cell
    from jupyter_otel_kernel.spans import Spans

VARIABLE = "JUPYTER_OTEL_KERNEL"


class Mode:
    """``context``: the execution's own span is what a cell runs in."""

    name = "context"
    has_cell_spans = False

    def __init__(self, lack: str = "") -> None:
        self.lack = lack
        """Why it is not ``spans``, where that was asked for."""

    def start_cell(self, _cell: Cell) -> Span | None:
        """Return the span that a cell runs in instead of its execution's."""
        return None

    def end_cell(self, span: Span, result: Any) -> None:
        """End that."""

    def close(self) -> None:
        """Leave nothing behind."""


class SpansMode(Mode):
    """``spans``: a cell has a span below its execution's, and a provider is lent."""

    name = "spans"
    has_cell_spans = True

    def __init__(self, spans: Spans) -> None:
        super().__init__()
        self.spans = spans
        atexit.register(spans.close)

    def start_cell(self, cell: Cell) -> Span | None:
        """Return the span of a cell that begins."""
        return self.spans.start(cell)

    def end_cell(self, span: Span, result: Any) -> None:
        """End it, with the name of the error that ended the cell."""
        self.spans.end(span, result)

    def close(self) -> None:
        """Send what is queued, for a second at most."""
        atexit.unregister(self.spans.close)
        self.spans.close()


def mode_of(environ: Mapping[str, str]) -> Mode:
    """Return the mode that an environment asks for, or as much of it as can be had."""
    if environ.get(VARIABLE, "").strip().lower() != SpansMode.name:
        return Mode()
    # What is wrong with the SDK here must not cost the kernel what works without it.
    try:
        from jupyter_otel_kernel.spans import Spans  # noqa: PLC0415 - the SDK's import

        return SpansMode(Spans(environ))
    except ImportError as error:
        return Mode(
            f"the module {error.name} is missing: pip install"
            " 'jupyter-otel-kernel[spans]' in this kernel's environment"
        )
    except ValueError as error:
        return Mode(str(error))
    except Exception as error:  # noqa: BLE001
        return Mode(f"the OpenTelemetry SDK does not start: {type(error).__name__}")
