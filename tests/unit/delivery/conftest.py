import time

import pytest

from jupyter_otel.delivery import Delivery, DeliverySettings
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, Signal
from jupyter_otel.testing.clock import FakeClock

LOGS = Signal.LOGS
_NO_WAIT = DeliverySettings(first_backoff_s=0.001, max_backoff_s=0.002, pause_s=0.0)


def _wait_until(claim, timeout_s=10):
    deadline_s = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < deadline_s, "it never came true"
        time.sleep(0.002)


class Desk:
    """A spool, its books and the deliveries that a test starts on them."""

    def __init__(self):
        self.clock = FakeClock()
        self.books = Books()
        self.spool = Spool(
            None,
            max_bytes=2**24,
            max_age_s=3600,
            when_full="drop",
            synchronous=False,
            now_ns=self.clock.now_ns,
        )
        self.deliveries = []

    def add(self, *bodies, records=1):
        """Accept records and append them, a row for each body."""
        rows = [NewRow(LOGS, "", "data", 1, records, "r", body) for body in bodies]
        self.books.accept(LOGS, records * len(rows))
        for loss in self.spool.append(rows):
            self.books.drop(*loss)

    def start(self, destination, settings=_NO_WAIT):
        """Start a delivery that the fixture stops."""
        delivery = Delivery(
            LOGS, self.spool, destination, self.books, settings=settings
        )
        self.deliveries.append(delivery)
        delivery.start()
        return delivery

    def settled(self):
        """Return the books of logs once nothing is pending any more."""
        _wait_until(lambda: self.books.pending() == 0)
        return self.books.tally().logs


@pytest.fixture
def wait_until():
    return _wait_until


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    for delivery in desk.deliveries:
        assert delivery.stop(10)
    desk.spool.close()
