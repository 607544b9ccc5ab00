"""The end of a forked child, where ``atexit`` says nothing of it."""

from __future__ import annotations

import sys
from typing import Any, Callable

_PRIORITY = 10  # before what multiprocessing ends itself, which has 0 and less


def at_exit_of_child(call: Callable[[], object]) -> None:
    """Call something when this child of multiprocessing ends, before it is cut off.

    It ends with ``os._exit``, as `ProcessPoolExecutor`'s do. Other children run
    ``atexit``, or, after an ``os._exit`` of the user's own, nothing.
    """
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, call, exitpriority=_PRIORITY)
