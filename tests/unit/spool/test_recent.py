import stat
import threading

import pytest

from jupyter_otel.spool.judging import Lenient
from jupyter_otel.spool.recent import FILE_NAME, RecentRows, SentRow
from jupyter_otel.tally import DropReason, Signal

LOGS = Signal.LOGS
HOUR_S = 3600


@pytest.fixture
def open_recent(tmp_path, clock):
    """Open what several processes of an account would share."""
    opened = []

    def open_one(max_bytes=2**20, max_age_h=24.0):
        recent = RecentRows(
            tmp_path, max_bytes=max_bytes, max_age_h=max_age_h, now_ns=clock.now_ns
        )
        opened.append(recent)
        return recent

    yield open_one
    for recent in opened:
        recent.close()


@pytest.fixture
def send(open_spool, row, tmp_path):
    """Send a row through a spool, all the way or not."""

    def send(recent, body=b"body", *, end="acknowledge", **fields):
        spool = open_spool(tmp_path / "spool", recent=recent, max_bytes=2**20)
        spool.append([row(body, **fields)])
        [leased] = spool.lease(LOGS, max_rows=1, max_bytes=2**20)
        getattr(spool, end)([leased.id])
        return leased

    return send


def bodies(recent, subject="ada"):
    return [sent.body for sent in recent.read(subject, 100)]


def test_what_was_sent_is_kept_as_it_left(open_recent, send, clock):
    recent = open_recent()
    send(recent, b"first", records=3)
    clock.advance(1)
    send(recent, b"second", group="executions")

    now_ns = clock.now_ns()
    assert recent.read("ada", 10) == [
        SentRow("ada", "executions", LOGS, 1, now_ns, b"second"),
        SentRow("ada", "data", LOGS, 3, now_ns - 10**9, b"first"),
    ]
    assert [sent.body for sent in recent.read("ada", 1)] == [b"second"]
    assert recent.read("bob", 10) == []


@pytest.mark.parametrize("end", ["release", "discard"])
def test_what_was_not_sent_is_not_kept(open_recent, send, end):
    recent = open_recent()
    send(recent, end=end)

    assert bodies(recent) == []


def test_what_is_nobodys_is_not_kept(open_recent, send):
    recent = open_recent()
    send(recent, subject="")

    assert bodies(recent, "") == []


def test_what_is_of_several_people_is_not_kept(open_recent, send):
    recent = open_recent()
    send(recent, subject="ada\nbob")

    assert [bodies(recent, key) for key in ("ada", "bob", "ada\nbob")] == [[], [], []]


def test_another_process_reads_it_when_this_one_is_gone(open_recent, send, tmp_path):
    recent = open_recent()
    send(recent)
    recent.close()

    assert bodies(open_recent()) == [b"body"]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_erasing_takes_one_persons_groups_in_all_processes(open_recent, send, tmp_path):
    recent, other = open_recent(), open_recent()
    send(recent, b"canary" * 99)
    send(recent, b"kept", group="executions")
    send(recent, b"bob's", subject="bob")
    recent.close()

    assert other.erase("ada", ["data"]) == 1

    assert bodies(open_recent()) == [b"kept"]
    assert bodies(open_recent(), "bob") == [b"bob's"]
    assert b"canary" not in (tmp_path / FILE_NAME).read_bytes()


def test_what_is_being_sent_when_it_is_erased_is_not_kept(
    open_recent, open_spool, row, tmp_path
):
    recent = open_recent()
    spool = open_spool(tmp_path / "spool", recent=recent)
    spool.append([row(b"late")])
    [leased] = spool.lease(LOGS, max_rows=1, max_bytes=2**20)

    recent.erase("ada", ["data"])
    spool.acknowledge([leased.id])

    assert bodies(recent) == []


def test_it_is_kept_for_so_many_hours(open_recent, send, clock):
    recent = open_recent(max_age_h=2)
    send(recent, b"old")
    clock.advance(1.5 * HOUR_S)
    send(recent, b"new")
    clock.advance(HOUR_S)

    assert bodies(recent) == [b"new"]


def test_nothing_is_kept_for_no_hours(open_recent, send, tmp_path):
    recent = open_recent(max_age_h=0)
    send(recent)
    recent.close()

    assert not (tmp_path / FILE_NAME).exists()


def test_the_oldest_makes_room(open_recent, send, clock):
    recent = open_recent(max_bytes=25)
    for number in range(4):
        send(recent, b"%010d" % number)
        clock.advance(1)

    assert bodies(recent) == [b"%010d" % 3, b"%010d" % 2]


def test_a_damaged_file_is_begun_anew(open_recent, send, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 999)
    recent = open_recent()
    send(recent, b"lost")
    assert bodies(recent) == []

    send(recent, b"kept")
    assert bodies(recent) == [b"kept"]


def test_processes_write_side_by_side(open_recent, send, row, open_spool):
    shared = [open_recent() for _ in range(4)]

    def use(recent):
        send(recent)
        recent.close()

    threads = [threading.Thread(target=use, args=(recent,)) for recent in shared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bodies(open_recent()) == [b"body"] * 4


def test_what_was_withdrawn_elsewhere_meanwhile_is_not_written(
    open_recent, send, tmp_path, clock
):
    class Judge(Lenient):
        """Somebody says no to another process."""

        def objection(self, origin):
            return DropReason.NO_CONSENT if origin.group == "data" else None

    recent = RecentRows(
        tmp_path, max_bytes=2**20, max_age_h=1, now_ns=clock.now_ns, judge=Judge()
    )
    send(recent, b"withdrawn")
    send(recent, b"kept", group="executions")

    assert bodies(recent) == [b"kept"]
    recent.close()
