"""What a check of ``jupyter otel doctor`` finds."""

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Nothing wrong; good to know."""
    WARNING = "warning"
    """Works, and is probably not what was meant."""
    FAILED = "failed"


class Finding(NamedTuple):
    """One thing that was looked at."""

    check: str
    state: State
    what: str
    cure: str = ""
