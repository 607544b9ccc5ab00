"""Forked children of the kernel: who is one, and when one ends.

Asking for the process id costs more than all else that a hook does for most cells.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable

_PRIORITY = 10  # before what multiprocessing ends itself, which has 0 and less
generation = 0
"""How many forks lie between the kernel and this process."""


def at_exit_of_child(call: Callable[[], object]) -> None:
    """Call something when this child of multiprocessing ends, before it is cut off.

    It ends with ``os._exit``, as `ProcessPoolExecutor`'s do. Other children run
    ``atexit``, or, after an ``os._exit`` of the user's own, nothing.
    """
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, call, exitpriority=_PRIORITY)


def _count() -> None:
    global generation  # noqa: PLW0603 - one number for the process
    generation += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count)
