"""What a receiver got: requests as they came, and the records in them."""

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from jupyter_otel.export.services import SERVICES
from jupyter_otel.tally import Signal


class Received(NamedTuple):
    """One request that reached a receiver."""

    signal: Signal
    headers: Mapping[str, str]
    """Names in lower case."""
    message: Any
    """The parsed ``Export…ServiceRequest``."""
    status: str
    """What it was answered: ``200``, ``503``, ``UNAVAILABLE``, …"""


class Inbox:
    """Everything that a receiver got, safe in any thread."""

    def __init__(self) -> None:
        self._requests: list[Received] = []
        self._changed = threading.Condition()

    def put(self, received: Received) -> None:
        """Add a request."""
        with self._changed:
            self._requests.append(received)
            self._changed.notify_all()

    def requests(self) -> list[Received]:
        """Return all requests, those answered with an error included."""
        with self._changed:
            return list(self._requests)

    def records(self, signal: Signal) -> list[Any]:
        """Return the records, spans or metrics of requests that were taken."""
        return [
            record
            for received in self.requests()
            if received.signal is signal and received.status in {"200", "OK"}
            for record in records_of(signal, received.message)
        ]

    def wait_for_requests(self, count: int, timeout_s: float = 10.0) -> None:
        """Return once so many requests have come.

        Raises:
            TimeoutError: They have not.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: len(self._requests) >= count, timeout_s
            ):
                raise TimeoutError(f"{len(self._requests)} requests came, not {count}")


def records_of(signal: Signal, message: Any) -> list[Any]:
    """Return the records, spans or metrics that an export request holds."""
    outer, inner, items = {
        Signal.LOGS: ("resource_logs", "scope_logs", "log_records"),
        Signal.TRACES: ("resource_spans", "scope_spans", "spans"),
        Signal.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
    }[signal]
    return [
        item
        for resource in getattr(message, outer)
        for scope in getattr(resource, inner)
        for item in getattr(scope, items)
    ]


def parse(signal: Signal, body: bytes) -> Any:
    """Return a serialized request as a message."""
    return SERVICES[signal].request.FromString(body)
