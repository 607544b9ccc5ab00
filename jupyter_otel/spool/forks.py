"""What a forked child does with its parent's spool: nothing, for ever."""

import os
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """Something whose open files a child must neither use, close nor free."""

    def disown(self) -> object:
        """Act as closed from now on; return what has to be kept alive."""


_OPEN: "WeakSet[Forked]" = WeakSet()
_INHERITED: list[object] = []


def keep_from_children(spool: Forked) -> None:
    """Never let a forked child close, or even free, what this process has open.

    SQLite in a child believes that its locks are its own: on closing it would fold
    and delete the log that the parent still writes.
    """
    _OPEN.add(spool)


def _disown_all() -> None:
    _INHERITED.extend(spool.disown() for spool in _OPEN)
    _OPEN.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown_all)
