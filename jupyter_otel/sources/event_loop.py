"""The clock of the event loop on which a source's hooks are called."""

import asyncio
from collections.abc import Callable


def call_later(delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
    """Have the running loop call something later; return what takes that back."""
    return asyncio.get_running_loop().call_later(delay_s, call).cancel
