import pytest

from jupyter_otel.cli.tables import duration, printable, table


def test_columns_line_up_and_only_the_last_is_cut(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    text = table(("A", "WHAT"), [("long cell", "x" * 30), ("s", "y")])
    assert text.splitlines() == [
        "A          WHAT",
        "long cell  xxxxxxxx…",
        "s          y",
    ]


def test_what_would_move_the_cursor_is_replaced():
    assert printable("a\x1b[31m\nb\u202e") == "a\ufffd[31m\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0 µs"), (999_000, "999 µs"), (1_400_000, "1 ms"), (1_416_000_000, "1.42 s")],
)
def test_a_duration_has_the_unit_that_reads_best(nanoseconds, text):
    assert duration(nanoseconds) == text
