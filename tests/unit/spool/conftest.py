import pytest

from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
from jupyter_otel.testing.clock import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def open_spool(clock):
    """Open spools with short defaults; all are closed at the end."""
    opened = []

    def open_one(directory=None, **settings):
        defaults = {
            "max_bytes": 1000,
            "max_age_s": 3600,
            "when_full": "drop",
            "synchronous": False,
            "now_ns": clock.now_ns,
        }
        opened.append(Spool(directory, **(defaults | settings)))
        return opened[-1]

    yield open_one
    for spool in opened:
        spool.close()


@pytest.fixture
def row():
    def make(body=b"x", **fields):
        defaults = {
            "signal": Signal.LOGS,
            "subject": "ada",
            "group": "data",
            "priority": 1,
            "records": 1,
            "revision": "r1",
        }
        return NewRow(body=body, **(defaults | fields))

    return make
