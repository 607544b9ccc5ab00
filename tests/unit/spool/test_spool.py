import stat

import pytest

from jupyter_otel.errors import SpoolError
from jupyter_otel.spool.rows import Loss, Row
from jupyter_otel.tally import DropReason, Signal

LOGS, TRACES, METRICS = Signal.LOGS, Signal.TRACES, Signal.METRICS


def lease_all(spool, signal=LOGS):
    return spool.lease(signal, max_rows=1000, max_bytes=2**30)


def bodies(rows):
    return [row.body for row in rows]


@pytest.fixture(params=["memory", "file"])
def spool(request, open_spool, tmp_path):
    return open_spool(tmp_path / "spool" if request.param == "file" else None)


def test_rows_come_back_whole_oldest_first_and_by_signal(spool, row):
    lost = spool.append(
        [row(b"one", records=3), row(b"two"), row(b"span", signal=TRACES)]
    )

    assert lost == []
    assert lease_all(spool) == [Row(1, LOGS, 3, 0, b"one"), Row(2, LOGS, 1, 0, b"two")]
    assert lease_all(spool, TRACES) == [Row(3, TRACES, 1, 0, b"span")]


def test_a_leased_row_is_not_leased_again_until_it_is_released(spool, row):
    spool.append([row(b"one")])
    (leased,) = lease_all(spool)

    assert lease_all(spool) == []
    spool.release([leased.id])
    assert lease_all(spool) == [leased._replace(attempts=1)]


def test_a_lease_keeps_to_rows_bytes_and_records_but_never_ends_empty(spool, row):
    spool.append([row(b"x" * 10, records=5) for _ in range(6)])

    def lease(**limits):
        rows = spool.lease(
            LOGS, **({"max_rows": 99, "max_bytes": 99, "max_records": 99} | limits)
        )
        spool.release([row.id for row in rows])
        return len(rows)

    assert [
        lease(),
        lease(max_rows=2),
        lease(max_bytes=39),
        lease(max_records=10),
        lease(max_bytes=1),
    ] == [6, 2, 3, 2, 1]


def test_acknowledged_and_discarded_rows_are_gone(spool, row):
    spool.append([row(b"one"), row(b"two"), row(b"three")])
    one, two, three = lease_all(spool)
    spool.acknowledge([one.id])
    spool.discard([two.id])
    spool.release([three.id])

    assert bodies(lease_all(spool)) == [b"three"]
    assert spool.pending() == {LOGS: 1, TRACES: 0, METRICS: 0}
    assert spool.size_bytes() == 5


def test_acknowledging_twice_counts_once(spool, row):
    spool.append([row(b"one", records=2), row(b"two", records=3)])
    one, _ = lease_all(spool)
    spool.acknowledge([one.id])
    spool.acknowledge([one.id])

    assert spool.pending()[LOGS] == 3


def test_a_full_spool_drops_the_lowest_priority_first_oldest_within_it(spool, row):
    spool.append(
        [
            row(b"a" * 300, priority=2, records=2),
            row(b"b" * 300, priority=1, records=3),
            row(b"c" * 300, priority=1, records=4),
        ]
    )

    assert spool.append([row(b"d" * 300, priority=1, records=5)]) == [
        Loss(LOGS, DropReason.SPOOL_FULL, 3)
    ]
    assert spool.append([row(b"e" * 900, priority=3, records=6)]) == [
        Loss(LOGS, DropReason.SPOOL_FULL, 4),
        Loss(LOGS, DropReason.SPOOL_FULL, 5),
        Loss(LOGS, DropReason.SPOOL_FULL, 2),
    ]
    assert bodies(lease_all(spool)) == [b"e" * 900]


def test_a_new_row_of_lowest_priority_does_not_displace_others(spool, row):
    spool.append([row(b"a" * 900, priority=5)])

    assert spool.append([row(b"b" * 300, priority=1, records=7)]) == [
        Loss(LOGS, DropReason.SPOOL_FULL, 7)
    ]
    assert bodies(lease_all(spool)) == [b"a" * 900]


def test_a_row_larger_than_the_spool_is_lost_alone(spool, row):
    spool.append([row(b"a" * 900)])

    assert spool.append([row(b"b" * 1001, priority=9, records=2), row(b"c")]) == [
        Loss(LOGS, DropReason.SPOOL_FULL, 2)
    ]
    assert bodies(lease_all(spool)) == [b"a" * 900, b"c"]


def test_a_leased_row_never_makes_room(spool, row):
    spool.append([row(b"a" * 600, priority=1)])
    leased = lease_all(spool)

    assert spool.append([row(b"b" * 600, priority=9)]) == [
        Loss(LOGS, DropReason.SPOOL_FULL, 1)
    ]
    assert bodies(leased) == [b"a" * 600]


def test_refuse_keeps_the_old_and_the_new_of_higher_priority_that_fit(open_spool, row):
    spool = open_spool(when_full="refuse")
    spool.append([row(b"a" * 600, priority=1)])

    lost = spool.append(
        [row(b"b" * 300, priority=2, records=2), row(b"c" * 300, priority=3)]
    )

    assert lost == [Loss(LOGS, DropReason.SPOOL_FULL, 2)]
    assert bodies(lease_all(spool)) == [b"a" * 600, b"c" * 300]


def test_rows_older_than_the_limit_expire_unless_leased(spool, row, clock):
    spool.append([row(b"leased")])
    lease_all(spool)
    spool.append([row(b"old", records=2), row(b"old span", signal=TRACES)])
    clock.advance(3599)
    spool.append([row(b"new")])
    assert spool.expire() == []
    clock.advance(2)

    assert spool.expire() == [
        Loss(LOGS, DropReason.EXPIRED, 2),
        Loss(TRACES, DropReason.EXPIRED, 1),
    ]
    assert bodies(lease_all(spool)) == [b"new"]
    assert spool.pending() == {LOGS: 2, TRACES: 0, METRICS: 0}


def test_the_oldest_row_tells_its_age(spool, row, clock):
    assert spool.oldest_ns() is None
    first_ns = clock.now_ns()
    spool.append([row()])
    clock.advance(5)
    spool.append([row()])

    assert spool.oldest_ns() == first_ns


def test_after_close_nothing_is_leased_and_what_comes_is_lost(spool, row):
    spool.append([row(b"one")])
    (leased,) = lease_all(spool)
    spool.close()
    spool.acknowledge([leased.id])
    spool.release([leased.id])

    assert spool.append([row(records=4)]) == [Loss(LOGS, DropReason.SHUTDOWN, 4)]
    assert lease_all(spool) == []
    assert spool.expire() == []
    assert spool.oldest_ns() is None


def test_a_file_and_its_directory_are_readable_by_their_owner_only(
    open_spool, tmp_path, row
):
    spool = open_spool(tmp_path / "spool")
    spool.append([row()])

    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(tmp_path / "spool") == 0o700
    assert {path.name[32:]: mode(path) for path in (tmp_path / "spool").iterdir()} == {
        ".sqlite": 0o600,
        ".sqlite-wal": 0o600,
        ".sqlite-shm": 0o600,
        ".lock": 0o600,
        ".owner": 0o600,
    }


def test_closing_removes_an_empty_file_and_keeps_another(open_spool, tmp_path, row):
    empty, full = open_spool(tmp_path / "empty"), open_spool(tmp_path / "full")
    empty.append([row()])
    empty.acknowledge([row.id for row in lease_all(empty)])
    full.append([row()])
    empty.close()
    full.close()

    assert list((tmp_path / "empty").iterdir()) == []
    assert sorted(path.suffix for path in (tmp_path / "full").iterdir()) == [
        ".lock",
        ".owner",
        ".sqlite",
    ]


@pytest.mark.parametrize(("synchronous", "expected"), [(False, 1), (True, 2)])
def test_sync_means_full_and_otherwise_normal(
    open_spool, tmp_path, synchronous, expected
):
    spool = open_spool(tmp_path, synchronous=synchronous)
    settings = [
        spool._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "user_version")
    ]

    assert settings == ["wal", expected, 2]


def test_in_sync_a_deletion_waits_for_no_disk_and_what_comes_next_does(
    open_spool, tmp_path, row
):
    spool = open_spool(tmp_path, synchronous=True)

    def is_synced():
        level = spool._connection.execute("PRAGMA synchronous").fetchone()[0]
        return level == 2

    seen = []
    for _ in range(2):
        spool.append([row(b"a")])
        seen.append(is_synced())
        spool.acknowledge([leased.id for leased in lease_all(spool)])
        seen.append(is_synced())

    assert seen == [True, False, True, False]


def test_a_directory_that_cannot_be_made_is_a_spool_error(open_spool, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(SpoolError, match=r"OtelSpool\.directory must be a directory"):
        open_spool(tmp_path / "file" / "spool")
