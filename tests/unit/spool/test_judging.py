import pytest

from jupyter_otel.spool.rows import Loss, StoredRow
from jupyter_otel.tally import DropReason, Signal

LOGS = Signal.LOGS


class Judge:
    """Objects to whatever one subject has."""

    def __init__(self):
        self.refused = set()
        self.looked = 0

    def refresh(self):
        """Count the calls."""
        self.looked += 1

    def objection(self, origin):
        """Object to those who said no."""
        return DropReason.NO_CONSENT if origin.subject in self.refused else None


@pytest.fixture
def judge():
    return Judge()


def of(row, subject, body=b"body", records=2):
    return row(body, subject=subject, records=records)


def test_a_row_that_must_not_leave_any_more_is_not_leased(
    open_spool, row, judge, tmp_path
):
    spool = open_spool(tmp_path / "spool", judge=judge)
    spool.append([of(row, "ann", b"her"), of(row, "bob", b"his")])
    spool.settle()
    spool.append([of(row, "ann", b"new"), of(row, "bob", b"too")])
    judge.refused.add("ann")

    leased = spool.lease(LOGS, max_rows=10, max_bytes=2**20)

    assert [each.body for each in leased] == [b"his", b"too"]
    assert spool.take_losses() == [Loss(LOGS, DropReason.NO_CONSENT, 2)] * 2
    assert spool.pending()[LOGS] == 4
    assert judge.looked == 1


def test_weeding_erases_what_waits_and_leaves_nothing_in_the_file(
    open_spool, row, judge, tmp_path
):
    spool = open_spool(tmp_path / "spool", judge=judge)
    spool.append([of(row, "ann", b"canary" * 99), of(row, "bob", b"his")])
    spool.settle()
    judge.refused.add("ann")

    assert spool.weed() == [Loss(LOGS, DropReason.NO_CONSENT, 2)]

    beside = spool.path.parent.glob(f"{spool.path.name}*")
    assert not [path for path in beside if b"canary" in path.read_bytes()]
    assert spool.pending()[LOGS] == 2
    assert spool.size_bytes() == 3


@pytest.mark.parametrize("settles", [False, True])
def test_what_is_being_sent_is_erased_when_it_comes_back(
    open_spool, row, judge, tmp_path, settles
):
    spool = open_spool(tmp_path / "spool", judge=judge)
    spool.append([of(row, "ann", b"canary" * 9)])
    if settles:
        spool.settle()
    [leased] = spool.lease(LOGS, max_rows=1, max_bytes=2**20)
    judge.refused.add("ann")

    assert spool.weed() == []
    assert spool.has_doomed()
    spool.release([leased.id])

    assert not spool.has_doomed()
    assert spool.take_losses() == [Loss(LOGS, DropReason.NO_CONSENT, 2)]
    assert spool.pending()[LOGS] == spool.size_bytes() == 0
    beside = spool.path.parent.glob(f"{spool.path.name}*")
    assert not [path for path in beside if b"canary" in path.read_bytes()]


def test_what_is_being_sent_may_still_arrive(open_spool, row, judge, tmp_path):
    spool = open_spool(tmp_path / "spool", judge=judge)
    spool.append([of(row, "ann")])
    [leased] = spool.lease(LOGS, max_rows=1, max_bytes=2**20)
    judge.refused.add("ann")
    spool.weed()
    spool.acknowledge([leased.id])

    assert not spool.has_doomed()
    assert spool.take_losses() == []
    assert spool.pending()[LOGS] == 0


def test_adopted_rows_are_judged_too(open_spool, row, judge, tmp_path):
    judge.refused.add("ann")
    spool = open_spool(tmp_path / "spool", judge=judge)
    spool.take_over([StoredRow(of(row, "ann"), 0, 1)], lambda *_: None)

    assert spool.lease(LOGS, max_rows=1, max_bytes=2**20) == []
    assert spool.take_losses() == [Loss(LOGS, DropReason.NO_CONSENT, 2)]
