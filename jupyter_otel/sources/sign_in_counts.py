"""How many failures are told one by one, and what is known of addresses.

Somebody who fails thousands of times must stay countable and must not fill the spool:
sign-ins are dropped last there. Nothing waits that would be lost with the process while
there are few; a count that is lost with it never hides that somebody failed.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

PERIOD_S = 60.0
TOLD_SINGLY = 5
MAX_ADDRESSES = 1000

Kind = TypeVar("Kind", bound=Hashable)


class FailureCounts(Generic[Kind]):
    """Counts failures that are alike, within one period."""

    def __init__(self) -> None:
        self._times: dict[Kind, int] = {}
        self._untold: dict[Kind, int] = {}

    def add(self, kind: Kind) -> bool:
        """Count one failure; return whether it is told by itself."""
        times = self._times[kind] = self._times.get(kind, 0) + 1
        if times <= TOLD_SINGLY:
            return True
        self._untold[kind] = self._untold.get(kind, 0) + 1
        return False

    def take(
        self, is_wanted: Callable[[Kind], bool] = lambda _kind: True
    ) -> Iterator[tuple[Kind, int]]:
        """Yield what was not told yet, and how often."""
        for kind in list(filter(is_wanted, self._untold)):
            yield kind, self._untold.pop(kind)

    def begin_period(self) -> None:
        """Tell as many singly again."""
        self._times.clear()


class Addresses:
    """Which addresses failed, within a period and since they last succeeded.

    Bounded: whoever has many addresses cannot make many records, or much of a table.
    """

    def __init__(self) -> None:
        self._named: set[str] = set()
        """Those that failed within this period."""
        self._told: set[str] = set()
        """Those whose success was news within this period."""
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
        """Note a success; return whether it is news.

        It is if it comes after a failure, once within a period: else who fails and
        succeeds by turns makes as many records as requests. The next one is later.
        """
        if address in self._told or len(self._told) >= MAX_ADDRESSES:
            return False
        if address not in self._failed:
            return False
        self._told.add(address)
        self.forget(address)
        return True

    def forget(self, address: str) -> None:
        """Forget its failures."""
        self._failed.pop(address, None)

    def begin_period(self) -> None:
        """Name as many again."""
        self._named.clear()
        self._told.clear()
