"""A spool whose file or directory goes while it is used."""

import shutil
import sqlite3

import pytest

from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.rows import Loss
from jupyter_otel.spool.store import Store
from jupyter_otel.tally import DropReason, Signal

LOGS = Signal.LOGS


def lease_all(spool):
    return spool.lease(LOGS, max_rows=1000, max_bytes=2**30)


def bodies(rows):
    return [row.body for row in rows]


def on_disk(spool):
    connection = sqlite3.connect(f"{spool.path.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT id, body FROM rows ORDER BY id").fetchall()
    finally:
        connection.close()


def put_a_file_in_the_place_of(directory):
    shutil.rmtree(directory)
    directory.write_text("")


def test_rows_of_a_directory_that_was_removed_go_to_a_new_file_in_it(
    open_spool, tmp_path, row
):
    spool = open_spool(tmp_path / "spool")
    spool.append([row(b"one"), row(b"two"), row(b"three")])
    spool.settle()
    one, two, _ = lease_all(spool)
    before = spool.path
    shutil.rmtree(tmp_path / "spool")

    assert spool.settle() == []
    spool.acknowledge([one.id])
    spool.release([two.id])

    assert spool.path != before
    assert on_disk(spool) == [(2, b"two"), (3, b"three")]
    assert bodies(lease_all(spool)) == [b"two"]
    assert spool.pending()[LOGS] == 2


@pytest.mark.parametrize("suffix", [".lock", ".owner", ".sqlite"])
def test_a_file_that_has_lost_its_protection_is_left_for_a_new_one(
    open_spool, tmp_path, row, suffix
):
    spool, other = open_spool(tmp_path), open_spool()
    spool.append([row(b"one")])
    spool.settle()
    spool.path.with_suffix(suffix).unlink()
    spool.settle()

    assert on_disk(spool) == [(1, b"one")]
    assert adopt_orphans(other, tmp_path) == {}
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [
        ".lock",
        ".owner",
        ".sqlite",
        ".sqlite-shm",
        ".sqlite-wal",
    ]


def test_a_file_that_another_machine_has_taken_over_is_left_to_it(tmp_path):
    store = Store(tmp_path, synchronous=True, shared=True)
    before = store.path
    note = before.with_suffix(".owner")
    note.write_text('{"kernel": "another", "host": "elsewhere", "beats": true}')

    is_displaced = store.is_displaced
    store.move()
    after = store.path
    store.close(is_empty=True)

    assert is_displaced
    assert after != before
    assert before.exists()
    assert note.exists()


def test_without_a_directory_rows_are_in_memory_until_there_is_one_again(
    open_spool, tmp_path, row, caplog
):
    directory = tmp_path / "spool"
    spool = open_spool(directory)
    spool.append([row(b"one")])
    spool.settle()
    put_a_file_in_the_place_of(directory)
    spool.append([row(b"two")])
    spool.settle()
    in_memory = spool.path is None
    directory.unlink()
    spool._held.store._try_again_at = 0
    spool.append([row(b"three")])
    spool.settle()

    assert in_memory
    assert on_disk(spool) == [(1, b"one"), (2, b"two"), (3, b"three")]
    assert len(caplog.records) == 1


def test_sync_takes_nothing_that_it_cannot_put_on_disk(open_spool, tmp_path, row):
    directory = tmp_path / "spool"
    spool = open_spool(directory, synchronous=True)
    spool.append([row(b"one")])
    put_a_file_in_the_place_of(directory)

    assert spool.append([row(records=3)]) == [Loss(LOGS, DropReason.SPOOL_ERROR, 3)]
    assert bodies(lease_all(spool)) == [b"one"]
    assert spool.pending()[LOGS] == 1


def test_what_is_still_without_a_file_at_the_end_is_counted_as_lost(
    open_spool, tmp_path, row
):
    directory = tmp_path / "spool"
    spool = open_spool(directory)
    spool.append([row(records=3)])
    put_a_file_in_the_place_of(directory)

    assert spool.close() == [Loss(LOGS, DropReason.SPOOL_ERROR, 3)]
    assert spool.pending()[LOGS] == 0
