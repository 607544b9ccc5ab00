"""What a receiver answered, reduced to what the sender has to do about it."""

from typing import NamedTuple, TypeAlias


class Sent(NamedTuple):
    """The receiver has the request."""

    rejected: int = 0
    """Records that it took but refused (``partial_success``)."""
    message: str = ""
    """Its words about them."""
    warning: str = ""
    """What is odd about its answer, in ours: without data, with the cure."""


class Retry(NamedTuple):
    """The receiver may take the same request later."""

    after_s: float | None
    """What it asked to wait; None: nothing said."""
    why: str
    """For people: a status or an error, and the cure. Never data or headers."""


class Rejected(NamedTuple):
    """The receiver will never take this request."""

    why: str
    split: bool = False
    """Whether its parts, alone, may be taken: one of them may be the culprit."""


Verdict: TypeAlias = Sent | Retry | Rejected
