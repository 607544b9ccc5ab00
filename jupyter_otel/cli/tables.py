"""Plain text for a terminal: tables and times. No colours, no dependencies."""

import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

_GAP = "  "
_WIDE_WHEN_PIPED = 160
_LEAST = 8


def width() -> int:
    """Return how many columns there are to write in."""
    return shutil.get_terminal_size((_WIDE_WHEN_PIPED, 24)).columns


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, cut: bool = True
) -> str:
    """Return aligned columns; the last one ``cut`` at the terminal's width."""
    lines = [list(head), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (_line(line, widths) for line in lines)
    return "".join(f"{_cut(line, widths) if cut else line}\n" for line in padded)


def printable(text: str) -> str:
    """Return text without what would move a terminal's cursor."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(letter) in _CONTROL
        else letter
        for letter in text
    )


def local_time(time_ns: int) -> str:
    """Return a moment in this machine's time zone, to the millisecond."""
    moment = datetime.fromtimestamp(time_ns / 1e9, UTC).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def duration(duration_ns: int) -> str:
    """Return a span of time in the unit that reads best."""
    milliseconds = duration_ns / 1e6
    if milliseconds < 1:
        return f"{duration_ns / 1e3:.0f} µs"
    if milliseconds < 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1e3:.2f} s"


_CONTROL = frozenset({"Cc", "Cf", "Zl", "Zp"})


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(size) for cell, size in zip(cells, widths, strict=True)]
    return _GAP.join(padded).rstrip()


def _cut(line: str, widths: Sequence[int]) -> str:
    """Return a line that fits, but for the columns before the last."""
    room = max(width(), sum(widths[:-1]) + len(_GAP) * (len(widths) - 1) + _LEAST)
    return line if len(line) <= room else f"{line[: room - 1]}…"
