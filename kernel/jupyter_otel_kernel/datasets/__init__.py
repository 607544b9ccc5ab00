"""Which data the code of a cell opens: told to the server that asked for it.

::

    ../imports.py a library is imported ──▶ functions.py: which of its functions
    wrapping.py   each is wrapped, in a form that nobody notices
                       │ it was called
    targets.py    from its argument to names of datasets
    cell_log.py   each dataset of a cell once, the rest counted
                       │ a little later
    accesses.py   one event for each; uris.py takes secrets out ──▶ channel.py

No audit hook: it would slow down code that opens nothing, and cannot be taken out
again. Nothing here is imported before a request asks for it.
"""

from __future__ import annotations

from typing import Any

from jupyter_otel_kernel.channel import call_later, emit
from jupyter_otel_kernel.datasets.accesses import Accesses
from jupyter_otel_kernel.datasets.hooks import Hooks

_installed: Hooks | None = None


def install(shell: Any) -> Hooks:
    """Wrap what reads and writes data, now or once it is imported."""
    global _installed  # noqa: PLW0603 - a process has one shell
    _installed = Hooks(shell, Accesses(_emit, call_later), when_over=_forget)
    return _installed


def installed() -> Hooks | None:
    """Return what is installed here, if anything is."""
    return _installed


def _emit(schema_id: str, data: dict[str, Any], msg_id: str, time_ns: int) -> bool:
    return emit(schema_id, data, msg_id=msg_id, time_ns=time_ns)


def _forget() -> None:
    global _installed  # noqa: PLW0603 - as above
    _installed = None
