"""jupyter-otel inside a Python kernel: an IPython extension, loaded by a startup file.

What it does at each cell is in ``extension.py``. Importing this costs nothing.
"""

from __future__ import annotations

import os
from typing import Any

__all__ = ["load_ipython_extension", "record_dataset", "unload_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """Begin to set each cell's span context; in a shell without a kernel do nothing."""
    from jupyter_otel_kernel import extension  # noqa: PLC0415 - an import costs nothing

    extension.load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take back whatever loading has put into the shell."""
    from jupyter_otel_kernel import extension  # noqa: PLC0415 - as above

    extension.unload(shell)


def record_dataset(
    uri: str | os.PathLike[str],
    operation: str = "read",
    *,
    format: str | None = None,  # noqa: A002 - as the event names it
    size_bytes: int | None = None,
) -> bool:
    """Report a dataset that the code of this cell opened and that we do not see.

    Once for each dataset, operation and cell. Never raises.

    Args:
        uri: A path or URL; user, password, query and fragment are taken out here.
        operation: ``read``, ``write`` or ``connect``.
        format: Of the data, such as ``zarr``.
        size_bytes: Of the data, where it is known.

    Returns:
        Whether it was reported: False where nobody asked for datasets, or where there
        is no such operation.
    """
    import sys  # noqa: PLC0415 - an import of this package costs nothing

    # Where it was not asked for it is not there, and is not imported for it.
    datasets = sys.modules.get("jupyter_otel_kernel.datasets")
    hooks = None if datasets is None else datasets.installed()
    if hooks is None or operation not in ("read", "write", "connect"):
        return False
    access = {"operation": operation, "format": format, "size_bytes": size_bytes}
    reported: bool = hooks.record(uri, {"status": "ok", **access})
    return reported
