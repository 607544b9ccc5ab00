"""How many failures are told one by one, and what is known of addresses.

Somebody who fails thousands of times must stay countable and must not fill the spool:
sign-ins are dropped last there. Nothing waits that would be lost with the process while
there are few; a count that is lost with it never hides that somebody failed.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

PERIOD_S = 60.0
TOLD_SINGLY = 5
MAX_ADDRESSES = 1000

Kind = TypeVar("Kind", bound=Hashable)


class FailureCounts(Generic[Kind]):
    """Counts failures that are alike, within one period."""

    def __init__(self) -> None:
        self._times: dict[Kind, int] = {}

    def add(self, kind: Kind) -> bool:
        """Count one failure; return whether it is told by itself."""
        times = self._times[kind] = self._times.get(kind, 0) + 1
        return times <= TOLD_SINGLY

    def take(self) -> Iterator[tuple[Kind, int]]:
        """Yield what was not told, and how often; a new period begins."""
        times, self._times = self._times, {}
        for kind, count in times.items():
            if count > TOLD_SINGLY:
                yield kind, count - TOLD_SINGLY


class Addresses:
    """Which addresses failed, within a period and since they last succeeded.

    Bounded: whoever has many addresses cannot make many records, or much of a table.
    """

    def __init__(self) -> None:
        self._named: set[str] = set()
        """Those that failed within this period."""
        self._failed: OrderedDict[str, None] = OrderedDict()
        """Those that did not succeed since, the latest to fail last."""

    def failed(self, address: str) -> str:
        """Note a failure; return how to name the address, empty where they are many."""
        self._failed[address] = None
        self._failed.move_to_end(address)
        if len(self._failed) > MAX_ADDRESSES:
            self._failed.popitem(last=False)
        if address not in self._named and len(self._named) >= MAX_ADDRESSES:
            return ""
        self._named.add(address)
        return address

    def succeeded(self, address: str) -> bool:
        """Note a success; return whether it comes after a failure."""
        return self._failed.pop(address, address) is None

    def begin_period(self) -> None:
        """Name as many again."""
        self._named.clear()
