import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_otel.spool.rows import Loss, NewRow, Row, StoredRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import DropReason, Signal

LOGS, TRACES, METRICS = Signal.LOGS, Signal.TRACES, Signal.METRICS


@pytest.fixture
def spool(open_spool, tmp_path):
    return open_spool(tmp_path)


def lease_all(spool, signal=LOGS):
    return spool.lease(signal, max_rows=1000, max_bytes=2**30)


def bodies(rows):
    return [row.body for row in rows]


def on_disk(spool, columns="body"):
    """Return what another process would find in the spool's file."""
    connection = sqlite3.connect(f"{spool.path.as_uri()}?mode=ro", uri=True)
    try:
        query = f"SELECT {columns} FROM rows ORDER BY id"  # noqa: S608 - our words
        found = connection.execute(query).fetchall()
    finally:
        connection.close()
    return found if "," in columns else [value for (value,) in found]


def written(directory):
    """Return all that lies on disk but the locks in shared memory."""
    return {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if path.suffix != ".sqlite-shm"
    }


def set_read_only(spool, *, on):
    """Let every write fail, as a full disk does."""
    spool._connection.execute(f"PRAGMA query_only = {int(on)}")


def test_rows_that_are_sent_or_discarded_at_once_never_touch_the_disk(
    spool, tmp_path, row
):
    before = written(tmp_path)
    spool.append([row(b"one"), row(b"two"), row(b"span", signal=TRACES)])
    one, two = lease_all(spool)
    (span,) = lease_all(spool, TRACES)
    spool.acknowledge([one.id])
    spool.discard([two.id])
    spool.acknowledge([span.id])

    assert spool.settle() == []
    assert written(tmp_path) == before
    assert lease_all(spool) == []
    assert spool.pending() == {LOGS: 0, TRACES: 0, METRICS: 0}
    assert spool.size_bytes() == 0


def test_settling_writes_what_waits_leased_or_not_with_its_id_age_and_attempts(
    spool, row, clock
):
    made_ns = clock.now_ns()
    spool.append([row(b"tried"), row(b"leased"), row(b"sent"), row(b"waits")])
    tried, _, sent, waits = lease_all(spool)
    spool.release([tried.id, waits.id])
    spool.release([lease_all(spool)[0].id])
    spool.acknowledge([sent.id])
    clock.advance(1)

    assert spool.settle() == []
    assert on_disk(spool, "id, attempts, created_ns, body") == [
        (1, 2, made_ns, b"tried"),
        (2, 0, made_ns, b"leased"),
        (4, 1, made_ns, b"waits"),
    ]


def test_a_row_that_was_settled_while_leased_is_deleted_once_it_is_sent(spool, row):
    spool.append([row(b"one"), row(b"two")])
    one, two = lease_all(spool)
    spool.settle()
    spool.acknowledge([one.id])
    spool.release([two.id])

    assert on_disk(spool, "attempts, body") == [(1, b"two")]
    assert spool.pending()[LOGS] == 1


def test_young_and_old_rows_are_leased_together_oldest_first(spool, row):
    spool.append([row(b"one")])
    spool.settle()
    spool.append([row(b"two")])
    spool.take_over([StoredRow(row(b"three"), 4, 0)], lambda *_: None)
    spool.append([row(b"four")])

    assert lease_all(spool) == [
        Row(1, LOGS, 1, 0, b"one"),
        Row(2, LOGS, 1, 0, b"two"),
        Row(3, LOGS, 1, 4, b"three"),
        Row(4, LOGS, 1, 0, b"four"),
    ]
    assert on_disk(spool) == [b"one", b"three"]


def test_young_rows_count_as_others_do(spool, row, clock):
    first_ns = clock.now_ns()
    spool.append([row(b"one", records=3), row(b"span", signal=TRACES)])
    clock.advance(1)
    spool.append([row(b"two")])
    counted = (spool.pending(), spool.size_bytes(), spool.oldest_ns())
    spool.settle()

    assert counted == ({LOGS: 4, TRACES: 1, METRICS: 0}, 10, first_ns)
    assert (spool.pending(), spool.size_bytes(), spool.oldest_ns()) == counted


def test_what_the_disk_does_not_take_is_lost_but_for_what_a_sender_has(spool, row):
    spool.append([row(b"sent", records=2), row(b"tried", records=3)])
    sent, tried = lease_all(spool)
    spool.append([row(records=4), row(signal=TRACES, records=5)])
    set_read_only(spool, on=True)

    assert spool.settle() == [
        Loss(LOGS, DropReason.SPOOL_ERROR, 4),
        Loss(TRACES, DropReason.SPOOL_ERROR, 5),
    ]
    spool.acknowledge([sent.id])
    spool.release([tried.id])
    assert spool.pending() == {LOGS: 3, TRACES: 0, METRICS: 0}
    set_read_only(spool, on=False)
    assert spool.settle() == []
    assert on_disk(spool) == [b"tried"]


def test_without_room_young_rows_are_settled_and_then_give_way_as_old_ones_do(
    spool, row
):
    spool.append([row(b"a" * 500, priority=2), row(b"b" * 400, priority=1, records=3)])

    assert spool.append([row(b"c" * 300, priority=1, records=5)]) == [
        Loss(LOGS, DropReason.SPOOL_FULL, 3)
    ]
    assert on_disk(spool) == [b"a" * 500, b"c" * 300]
    assert bodies(lease_all(spool)) == [b"a" * 500, b"c" * 300]


def test_young_rows_hold_little_memory(open_spool, tmp_path, row):
    spool = open_spool(tmp_path, max_bytes=2**30)
    spool.append([row(b"a" * 3 * 2**20)])
    spool.append([row(b"b" * 3 * 2**20)])

    assert [len(body) for body in on_disk(spool)] == [3 * 2**20, 3 * 2**20]


def test_a_synchronous_spool_has_rows_on_disk_at_once(open_spool, tmp_path, row):
    spool = open_spool(tmp_path, synchronous=True)
    spool.append([row(b"one")])

    assert on_disk(spool) == [b"one"]
    assert spool.settle() == []


def test_closing_settles_and_tells_what_it_could_not(open_spool, tmp_path, row):
    whole, broken = open_spool(tmp_path / "whole"), open_spool(tmp_path / "broken")
    whole.append([row(b"kept")])
    broken.append([row(records=2)])
    set_read_only(broken, on=True)
    path = whole.path

    assert whole.close() == []
    assert broken.close() == [Loss(LOGS, DropReason.SPOOL_ERROR, 2)]
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT body FROM rows").fetchall() == [(b"kept",)]
    connection.close()
    assert list((tmp_path / "broken").iterdir()) == []


def test_a_damaged_file_takes_no_young_row_that_a_sender_has_with_it(spool, row):
    spool.append([row(b"old", records=2)])
    spool.settle()
    spool.append([row(b"busy", records=3)])
    spool.release([leased.id for leased in lease_all(spool) if leased.body == b"old"])
    spool._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool.path.write_bytes(b"\x00garbage" * 3000)
    spool._connection.execute("PRAGMA shrink_memory")

    assert spool.settle() == [Loss(LOGS, DropReason.SPOOL_ERROR, 2)]
    assert (spool.pending()[LOGS], spool.size_bytes()) == (3, 4)
    assert spool.settle() == []
    assert on_disk(spool) == [b"busy"]


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["append", "lease", "acknowledge", "release", "settle", "fail", "expire"]
        ),
        st.integers(1, 40),
    ),
    max_size=30,
)


@given(_STEPS)
def test_whatever_happens_each_record_is_sent_lost_or_waits(steps):
    ends = Counter()
    leased = []
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(
            Path(folder),
            max_bytes=100,
            max_age_s=3600,
            when_full="drop",
            synchronous=False,
        )
        for step, number in steps:
            losses = []
            if step == "append":
                new = NewRow(LOGS, "", "data", number % 3, number, "r", b"x" * number)
                ends["accepted"] += number
                losses = spool.append([new])
            elif step == "lease":
                leased += spool.lease(LOGS, max_rows=number % 4, max_bytes=99)
            elif step in ("settle", "fail"):
                set_read_only(spool, on=step == "fail")
                losses = spool.settle()
                set_read_only(spool, on=False)
            elif step == "expire":
                losses = spool.expire()
            elif leased:
                row = leased.pop(number % len(leased))
                ends["sent"] += row.records if step == "acknowledge" else 0
                getattr(spool, step)([row.id])
            ends["lost"] += sum(loss.records for loss in losses)
            waiting = ends["accepted"] - ends["sent"] - ends["lost"]
            assert spool.pending()[LOGS] == waiting
        spool.settle()
        assert sum(on_disk(spool, "records")) == waiting if steps else True
        spool.close()
