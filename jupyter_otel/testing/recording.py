"""A destination inside the process: keeps what it is given, answers as told."""

import threading
from collections.abc import Iterable

from jupyter_otel.export.verdicts import Sent, Verdict


class RecordingDestination:
    """Takes requests, and gives the verdicts it was told, then ``Sent`` for ever.

    Args:
        verdicts: One for each request, in order.
        max_request_bytes: What it says of itself.
    """

    name = "recording"

    def __init__(
        self, verdicts: Iterable[Verdict] = (), *, max_request_bytes: int = 2**24
    ) -> None:
        self.requests: list[tuple[bytes, int]] = []
        """Each request and how many records it was said to hold."""
        self.closed = False
        self.max_request_bytes = max_request_bytes
        self._verdicts = iter(verdicts)
        self._changed = threading.Condition()

    def send(self, request: bytes, records: int) -> Verdict:
        """Keep the request and return the next verdict."""
        with self._changed:
            self.requests.append((request, records))
            self._changed.notify_all()
            return next(self._verdicts, Sent())

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def wait_for_requests(self, count: int, timeout_s: float = 10.0) -> None:
        """Return once so many requests have come.

        Raises:
            TimeoutError: They have not.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: len(self.requests) >= count, timeout_s
            ):
                raise TimeoutError(f"{len(self.requests)} requests came, not {count}")
