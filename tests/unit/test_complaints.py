import logging

import pytest

from jupyter_otel.complaints import INTERVAL_S, Complaints, printable
from jupyter_otel.testing.clock import FakeClock

LOG = logging.getLogger("jupyter_otel")


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_each_reason_has_a_line_a_minute_with_how_many_there_were(caplog):
    clock = FakeClock()
    complaints = Complaints(clock.monotonic)

    for _ in range(3):
        complaints.say("full", "It is full.")
    complaints.say("away", "It is away.")
    clock.advance(INTERVAL_S)
    complaints.say("full", "It is full.")

    assert lines(caplog) == [
        "It is full.",
        "It is away.",
        "It is full. (2 times more before)",
    ]


def test_a_handler_that_raises_is_nobodys_trouble():
    class Failing(logging.Handler):
        """Raises at each record."""

        def emit(self, record):
            """Raise."""
            raise ValueError

    handler = Failing()
    LOG.addHandler(handler)
    Complaints().say("full", "It is full.")
    LOG.removeHandler(handler)


def test_a_handler_may_complain_itself(caplog):
    complaints = Complaints()

    class Complaining(logging.Handler):
        """Has trouble of the same kind."""

        def emit(self, record):
            """Complain."""
            complaints.say("full", "It is full.")

    handler = Complaining()
    LOG.addHandler(handler)
    complaints.say("full", "It is full.")
    LOG.removeHandler(handler)

    assert lines(caplog) == ["It is full."]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Events of ä/✓ are dropped.", "Events of ä/✓ are dropped."),
        ("x\nCRITICAL: forged", "x\\nCRITICAL: forged"),
        ("x\x1b[31m\u2028\u202ey", "x\\x1b[31m\\u2028\\u202ey"),
    ],
)
def test_a_line_cannot_be_forged(caplog, text, line):
    Complaints().say("any", text)

    assert lines(caplog) == [line] == [printable(text)]
