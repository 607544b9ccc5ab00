"""jupyter-otel inside a Python kernel: an IPython extension, loaded by a startup file.

What it does at each cell is in ``extension.py``. Importing this costs nothing.
"""

from __future__ import annotations

from typing import Any

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """Begin to set each cell's span context; in a shell without a kernel do nothing."""
    from jupyter_otel_kernel import extension  # noqa: PLC0415 - an import costs nothing

    extension.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take back whatever loading has put into the shell."""
    from jupyter_otel_kernel import extension  # noqa: PLC0415 - as above

    extension.unload(shell)
