"""How much a spool takes of the disk, and how it counts time."""

import time

from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.ages import SteadyClock
from jupyter_otel.spool.rows import Loss
from jupyter_otel.tally import DropReason, Signal

LOGS = Signal.LOGS
MIB = 2**20


def lease_all(spool):
    return spool.lease(LOGS, max_rows=10**6, max_bytes=2**30)


def test_the_file_is_at_most_twice_as_large_as_its_rows_may_be(
    open_spool, tmp_path, row
):
    spool = open_spool(tmp_path, max_bytes=MIB // 4)
    reasons = set()
    for size in (5, 10, 300, 2100, 60_000):
        for _ in range(4):
            spool.append([row(b"x" * size)] * max(2**17 // size // 4, 1))
            reasons |= {loss.reason for loss in spool.settle()}

    assert spool.path.stat().st_size <= MIB // 2
    assert reasons <= {DropReason.SPOOL_FULL, DropReason.SPOOL_ERROR}
    assert spool.pending()[LOGS] == sum(row.records for row in lease_all(spool))


def test_the_log_beside_the_file_is_cut_back(open_spool, tmp_path, row):
    spool = open_spool(tmp_path, max_bytes=64 * MIB)
    for size in (10 * MIB, 1, 1):
        spool.append([row(b"x" * size)])
        spool.settle()

    assert spool.path.with_name(f"{spool.path.name}-wal").stat().st_size <= 4 * MIB


def test_the_clock_of_a_spool_begins_with_the_machines_and_only_goes_on():
    before_ns = time.time_ns()
    clock = SteadyClock()
    first_ns, second_ns = clock.now_ns(), clock.now_ns()

    assert abs(first_ns - before_ns) < 10**9
    assert second_ns >= first_ns
    assert "time_ns" not in SteadyClock.now_ns.__code__.co_names


def test_a_clock_that_was_ahead_makes_no_row_immortal(open_spool, tmp_path, row, clock):
    orphan = open_spool(tmp_path)
    clock.advance(10**6)
    orphan.append([row(records=2)])
    orphan.close()
    clock.advance(-(10**6))
    spool = open_spool(tmp_path)
    adopt_orphans(spool, tmp_path)
    clock.advance(3601)

    assert spool.expire() == [Loss(LOGS, DropReason.EXPIRED, 2)]


def test_whoever_asks_how_much_waits_does_not_wait_for_a_disk_that_hangs(
    open_spool, tmp_path, row
):
    spool = open_spool(tmp_path)
    spool.append([row(b"one")])
    with spool._lock:
        asked = (spool.pending()[LOGS], spool.size_bytes(), spool.oldest_ns())

    assert asked == (1, 3, None)
    assert spool.oldest_ns() is not None
