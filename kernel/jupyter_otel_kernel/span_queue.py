"""Spans between their end and their receiver: a bounded queue and one thread.

Beside the SDK's batch processor it never logs, gives up within a second at exit, and
begins anew in a forked child. What does not fit or is not taken is counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from jupyter_otel_kernel import forks

MAX_QUEUED = 4096
MAX_BATCH = 512
WAIT_S = 0.5
EXIT_S = 1.0
_SEND_S = 10.0


class Sender(Protocol):
    """Sends spans somewhere."""

    def send(self, spans: Sequence[ReadableSpan], timeout_s: float) -> None:
        """Send them; any exception: they were not taken."""


class SpanQueue(SpanProcessor):
    """Takes the spans that have ended; its methods never raise and never wait."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.sent = 0
        self.lost = 0
        self._is_over = False
        self._start()

    def _start(self) -> None:
        """Begin anew, as at first and in a forked child."""
        self._generation = forks.generation
        self._queue: deque[ReadableSpan] = deque()
        self._filled = threading.Event()
        self._hurry = threading.Event()
        self._deadline_s = float("inf")
        self._thread = threading.Thread(
            target=self._run, name="jupyter_otel spans", daemon=True
        )
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span that has ended."""
        # The edge of a hook: the caller is user code that ends a span.
        try:
            if self._is_over or not _is_sampled(span):
                return
            if forks.generation != self._generation:
                self._start()
                forks.at_exit_of_child(self.shutdown)
            if len(self._queue) >= MAX_QUEUED:
                self.lost += 1
                return
            self._queue.append(span)
            self._filled.set()
            if len(self._queue) >= MAX_BATCH:
                self._hurry.set()
        except Exception:  # noqa: BLE001
            self.lost += 1

    def shutdown(self) -> None:
        """Send what is queued, for a second at most; take nothing more."""
        if self._is_over or forks.generation != self._generation:
            return
        self._deadline_s = time.monotonic() + EXIT_S
        self._is_over = True
        self._hurry.set()
        self._filled.set()
        self._thread.join(EXIT_S)

    def _run(self) -> None:
        while not self._is_over:
            self._filled.wait()
            self._hurry.wait(WAIT_S)
            self._hurry.clear()
            self._filled.clear()
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        while self._queue and time.monotonic() < self._deadline_s:
            spans = [self._queue[i] for i in range(min(len(self._queue), MAX_BATCH))]
            left_s = min(self._deadline_s - time.monotonic(), _SEND_S)
            # The end of the road: there is nobody to tell but ``%otel``.
            try:
                self._sender.send(spans, max(left_s, 0.01))
                self.sent += len(spans)
            except Exception:  # noqa: BLE001
                self.lost += len(spans)
            for _ in spans:
                self._queue.popleft()


def _is_sampled(span: ReadableSpan) -> bool:
    return span.context is not None and span.context.trace_flags.sampled
