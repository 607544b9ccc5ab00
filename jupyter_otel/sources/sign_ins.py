"""Sign-ins, failed ones, sign-outs and refusals, as events.

What a request says is read in ``sign_in_reading.py``; which of many failures are told
one by one is decided in ``sign_in_counts.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jupyter_otel.event import Attribution, Intake, Person
from jupyter_otel.schema import Schema
from jupyter_otel.sources.faults import HookEdge
from jupyter_otel.sources.request_log import class_of
from jupyter_otel.sources.request_spans import RequestSpans
from jupyter_otel.sources.sign_in_counts import PERIOD_S, Addresses, FailureCounts
from jupyter_otel.sources.sign_in_reading import FAILURES, Act, Reading, SignInReader

SIGN_IN_SCHEMA = "https://events.jupyter.org/jupyter_otel/sign_in/v1"

_UNIX_SOCKET = "0.0.0.0"  # noqa: S104 - what tornado says of who has no address


class _Failure(NamedTuple):
    """What makes failures alike."""

    act: Act
    method: str | None
    status_code: int
    address: str
    person: Person | None


@dataclass(slots=True, eq=False)
class SignIns:
    """Reports what the requests of one server say about signing in."""

    intake: Intake
    schema: Schema
    reader: SignInReader
    person: Callable[[Any], Person | None]
    """Whose a handler's request is."""
    spans: RequestSpans | None
    """Where a request that is itself recorded has its span."""
    call_later: Callable[[float, Callable[[], None]], object]
    """Runs something after so many seconds."""
    _edge: HookEdge = field(default_factory=lambda: HookEdge("the count of failures"))
    _failures: FailureCounts[_Failure] = field(default_factory=FailureCounts)
    _addresses: Addresses = field(default_factory=Addresses)
    _is_counting: bool = False

    def watch(self, handler: Any) -> None:
        """Report what one request that is over says."""
        reading = self.reader.read(handler)
        if reading is None:
            return
        address = _address(handler)
        if reading.act in FAILURES:
            self._failed(handler, reading, address)
        elif self._is_told(reading, address):
            # What led to it comes first.
            self._tell_counted(lambda failure: failure.address == address)
            self._tell(handler, reading, address, self.person(handler))

    def tell_rest(self) -> None:
        """Report the failures that were only counted; for a timer, and for the end."""
        # Called by the event loop and at exit: an edge.
        with self._edge:
            self._is_counting = False
            self._addresses.begin_period()
            self._failures.begin_period()
            self._tell_counted(lambda _failure: True)

    def _tell_counted(self, is_wanted: Callable[[_Failure], bool]) -> None:
        for failure, count in self._failures.take(is_wanted):
            act, method, status, address, person = failure
            event = _describe(act, method, status, address) | {"count": count}
            self.intake.emit(self.schema, event, Attribution(person=person))

    def _is_told(self, reading: Reading, address: str) -> bool:
        if reading.act is Act.ACCEPTED:
            return self._addresses.succeeded(address)
        if reading.act is Act.LOGIN:
            self._addresses.forget(address)
        return True

    def _failed(self, handler: Any, reading: Reading, address: str) -> None:
        if not self._is_counting:
            self._is_counting = True
            self.call_later(PERIOD_S, self.tell_rest)
        named = self._addresses.failed(address)
        person = None if reading.is_strangers else self.person(handler)
        status = handler.get_status()
        failure = _Failure(reading.act, reading.method, status, named, person)
        if self._failures.add(failure):
            self._tell(handler, reading, named, person)

    def _tell(
        self, handler: Any, reading: Reading, address: str, person: Person | None
    ) -> None:
        act = Act.LOGIN if reading.act is Act.ACCEPTED else reading.act
        event = _describe(act, reading.method, handler.get_status(), address)
        event["handler"] = class_of(handler)
        span = None if self.spans is None else self.spans.begun(handler)
        self.intake.emit(self.schema, event, Attribution(person=person, span=span))


def _address(handler: Any) -> str:
    """Return where a request came from; empty where that is no address.

    A proxy's word for it counts only where the server trusts it; tornado sees to that.
    """
    address = handler.request.remote_ip or ""
    return "" if address == _UNIX_SOCKET else address


def _describe(
    act: Act, method: str | None, status: int, address: str
) -> dict[str, Any]:
    event = {
        "action": act,
        "method": method,
        "status_code": status,
        "remote_address": address or None,
        "count": 1,
    }
    return {name: value for name, value in event.items() if value is not None}
