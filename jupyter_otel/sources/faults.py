"""What the edge of a source's hook does with an error it must not let through.

The text of an exception can hold the data that caused it, so neither it nor a
traceback is logged: only the kind of error and the line of ours that raised it.
"""

import logging
from collections import Counter
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb

_LOG = logging.getLogger("jupyter_otel")


class HookFaults:
    """Counts what the edge of one hook swallowed, and logs each kind of it once."""

    def __init__(self, hook: str) -> None:
        self._hook = hook
        self.counts: Counter[str] = Counter()

    def note(self, error: BaseException) -> None:
        """Count an error that the hook's host must not see."""
        where = _origin(error)
        kind = f"{type(error).__name__} at {where}"
        self.counts[kind] += 1
        if self.counts[kind] > 1:
            return
        # A log handler that raises must not reach the hook's host either.
        with suppress(Exception):
            _LOG.error("jupyter_otel: %s went on without: %s", self._hook, kind)


class HookEdge:
    """A ``with`` block around a hook's work, that lets no error of it out."""

    def __init__(self, hook: str) -> None:
        self._faults = HookFaults(hook)

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _: object) -> bool:
        """Note an error; whoever interrupts or exits still does."""
        if not isinstance(error, Exception):
            return False
        self._faults.note(error)
        return True


def _origin(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
