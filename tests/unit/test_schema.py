import math

import pytest

from jupyter_otel.complaints import printable
from jupyter_otel.schema import rule_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("error", "error"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (404, "404"),
        (404.0, "404"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1e16, "1e+16"),
        (1e300, "1e+300"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (None, None),
        (["error"], None),
        ({"error": 1}, None),
    ],
)
def test_a_scalar_has_the_text_that_an_overlay_writes(value, text):
    assert rule_text(value) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://example.org/ä b", "https://example.org/ä b"),
        ("a\x1b[2J\n", r"a\x1b[2J\n"),
        ("\u202e\ud800", r"\u202e\ud800"),
    ],
)
def test_what_moves_a_cursor_is_shown_as_its_escape(text, shown):
    assert printable(text) == shown
