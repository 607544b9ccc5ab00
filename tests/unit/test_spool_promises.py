"""docs/spool.md promises nothing that no test holds."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "spool.md").read_text(encoding="utf-8")
NAME = re.compile(r"`(test_\w+|Test\w+)`")

TESTS = re.compile(r"^(?:def )?((?:test_|Test)\w+)", re.MULTILINE)


def promises():
    """Return each list item of the page, on one line."""
    items = re.findall(r"^- (.*?)(?=^\S|\n\n|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return [" ".join(item.split()) for item in items]


def test_every_promise_names_a_test():
    assert len(promises()) > 40
    assert [item for item in promises() if not NAME.search(item)] == []


def test_every_test_that_a_promise_names_is_there():
    sources = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    there = set(
        re.findall(r"^(?:def )?((?:test|Test)\w+)", "\n".join(sources), re.MULTILINE)
    )
    assert set(NAME.findall(PAGE)) - there == set()
