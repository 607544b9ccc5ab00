from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest

from jupyter_otel.event import UNREADABLE_TIME_NS, read_time

MOMENT_NS = 1_795_376_980_411_683_000
MOMENT = datetime(2026, 11, 22, 19, 49, 40, 411683, tzinfo=UTC)


class Nowhere(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, moment):
        """Say nothing."""


@pytest.mark.parametrize(
    ("stated", "time_ns"),
    [
        (None, None),
        (17, 17),
        (-1, UNREADABLE_TIME_NS),
        (2**64, UNREADABLE_TIME_NS),
        (MOMENT, MOMENT_NS),
        (MOMENT.astimezone(timezone(timedelta(hours=-7))), MOMENT_NS),
        (MOMENT.replace(tzinfo=None), UNREADABLE_TIME_NS),
        (MOMENT.replace(tzinfo=Nowhere()), UNREADABLE_TIME_NS),
        ("2026-11-22T19:49:40.411683+00:00Z", MOMENT_NS),
        ("2026-11-22T20:49:40.411683+01:00Z", MOMENT_NS),
        ("2026-11-22T19:49:40.411683+00:00", MOMENT_NS),
        ("2026-11-22T19:49:40.411683Z", MOMENT_NS),
        ("2026-11-22T19:49:40.411683", MOMENT_NS),
        ("soon", UNREADABLE_TIME_NS),
        ("", UNREADABLE_TIME_NS),
        (17.5, UNREADABLE_TIME_NS),
        ([1], UNREADABLE_TIME_NS),
        ("1969-12-31T23:59:59+00:00Z", UNREADABLE_TIME_NS),
        ("0001-01-01T00:00:00+14:00Z", UNREADABLE_TIME_NS),
        (datetime(9999, 1, 1, tzinfo=UTC), UNREADABLE_TIME_NS),
    ],
)
def test_a_time_is_read_to_the_microsecond(stated, time_ns):
    assert read_time(stated) == time_ns
