"""How long a receiver asks to wait, read from its answer without trusting it."""

import email.utils
import math
from collections.abc import Callable
from datetime import UTC, datetime

MAX_WAIT_S = 3600.0
"""No receiver keeps us waiting longer, whatever it says."""


def read_retry_after(
    text: str | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for; None if it says nothing.

    Both forms of RFC 9110, section 10.2.3: seconds or a date.
    """
    if text is None:
        return None
    wait_s = _seconds(text.strip())
    if wait_s is None:
        wait_s = _until(text, now)
    return None if wait_s is None else min(max(wait_s, 0.0), MAX_WAIT_S)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _until(text: str, now: Callable[[], datetime]) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - now()).total_seconds()
