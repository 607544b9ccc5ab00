"""Files that other versions of this package have left.

What was written once stays readable: with each change of the table, add to ``formats/``
a file that the new code has written, and never change one that is there. Each holds a
log row of five records that was tried once, and a span row of two.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.database import SCHEMA_VERSION
from jupyter_otel.spool.rows import Row
from jupyter_otel.tally import Signal

LOGS, TRACES = Signal.LOGS, Signal.TRACES
FORMATS = {
    int(path.stem): path
    for path in sorted((Path(__file__).parent / "formats").glob("*.sqlite"))
}


def leave(directory, number):
    return Path(shutil.copy(FORMATS[number], directory / f"{'0' * 32}.sqlite"))


def table_of(path):
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT sql FROM sqlite_master ORDER BY name"
        return [sql for (sql,) in connection.execute(query)]


@pytest.mark.parametrize("number", FORMATS)
def test_what_an_older_version_left_is_adopted(open_spool, tmp_path, number):
    path = leave(tmp_path, number)
    spool = open_spool(tmp_path)

    assert adopt_orphans(spool, tmp_path) == {LOGS: 5, TRACES: 2}
    rows = [
        *spool.lease(LOGS, max_rows=9, max_bytes=99),
        *spool.lease(TRACES, max_rows=9, max_bytes=99),
    ]
    assert rows == [Row(1, LOGS, 5, 1, b"\n\0"), Row(2, TRACES, 2, 0, b"\n\0\n\0")]
    assert not path.exists()


def test_a_change_of_the_table_is_a_new_format(open_spool, tmp_path):
    assert max(FORMATS) == SCHEMA_VERSION
    known = leave(tmp_path, SCHEMA_VERSION)
    assert table_of(open_spool(tmp_path / "new").path) == table_of(known)


def test_what_a_newer_version_left_waits_for_one_that_knows_it(open_spool, tmp_path):
    path = tmp_path / f"{'0' * 32}.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE rows (id INTEGER); PRAGMA user_version = 99;"
        )
    before = path.read_bytes()

    assert adopt_orphans(open_spool(tmp_path), tmp_path) == {}
    assert path.read_bytes() == before
