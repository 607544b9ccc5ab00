from datetime import UTC, datetime

import pytest

from jupyter_otel.export.retry_after import read_retry_after


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("999999999999", 3600.0),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2099 12:00:00 GMT", 3600.0),
        ("Tue, 24 Nov 2026 12:00:30 -0000", 30.0),
        ("Tue, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_seconds_and_dates_are_read_and_absurd_ones_capped(text, wait_s):
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)

    assert read_retry_after(text, lambda: noon) == wait_s
