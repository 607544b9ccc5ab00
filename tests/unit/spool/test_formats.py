"""Files that other versions of this package have left.

What is released stays readable: add a format here with each change of the table, with
its number, and never change one that is here.
"""

import sqlite3
from contextlib import closing

import pytest

from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.database import SCHEMA_VERSION
from jupyter_otel.spool.rows import Row
from jupyter_otel.tally import Signal

LOGS = Signal.LOGS
FORMATS = {
    1: """
CREATE TABLE rows (
    id INTEGER PRIMARY KEY,
    signal TEXT NOT NULL,
    subject TEXT NOT NULL,
    consent_group TEXT NOT NULL,
    priority INTEGER NOT NULL,
    records INTEGER NOT NULL,
    revision TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX rows_by_signal ON rows (signal);
CREATE INDEX rows_by_worth ON rows (priority, created_ns);
INSERT INTO rows VALUES
    (7, 'logs', 'ada', 'data', 3, 5, 'r1', 2, 1700000000000000000, 3140942453, x'0a00');
PRAGMA user_version = 1;
"""
}


def leave(directory, script):
    path = directory / f"{'0' * 32}.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(script)
    return path


def table_of(path):
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT sql FROM sqlite_master ORDER BY name"
        return [sql for (sql,) in connection.execute(query)]


@pytest.mark.parametrize("number", FORMATS)
def test_what_an_older_version_left_is_adopted(open_spool, tmp_path, number):
    path = leave(tmp_path, FORMATS[number])
    spool = open_spool(tmp_path)

    assert adopt_orphans(spool, tmp_path) == {LOGS: 5}
    rows = spool.lease(LOGS, max_rows=9, max_bytes=99)
    assert rows == [Row(1, LOGS, 5, 2, b"\n\0")]
    assert not path.exists()


def test_a_change_of_the_table_is_a_new_format(open_spool, tmp_path):
    assert max(FORMATS) == SCHEMA_VERSION
    known = leave(tmp_path, FORMATS[SCHEMA_VERSION])
    assert table_of(open_spool(tmp_path / "new").path) == table_of(known)


def test_what_a_newer_version_left_waits_for_one_that_knows_it(open_spool, tmp_path):
    newer = "CREATE TABLE rows (id INTEGER); PRAGMA user_version = 99;"
    path = leave(tmp_path, newer)
    before = path.read_bytes()

    assert adopt_orphans(open_spool(tmp_path), tmp_path) == {}
    assert path.read_bytes() == before
