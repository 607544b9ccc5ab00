import os
import signal
import subprocess
import sys
from zlib import crc32

import pytest

from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.rows import Row
from jupyter_otel.tally import Books, DropReason, Signal, SignalTally

LOGS, TRACES = Signal.LOGS, Signal.TRACES

_LEAVE = """
import os, pathlib, signal, sys
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
spool = Spool(pathlib.Path(sys.argv[1]), max_bytes=2**24, max_age_s=3600,
              when_full="drop", synchronous=False)
name, count = sys.argv[2], int(sys.argv[3])
spool.append([NewRow(Signal.LOGS, "ada", "data", 2, 3, "r1", f"{name} {i}".encode())
              for i in range(count)])
spool.settle()
"""
_DIE = "os.kill(os.getpid(), signal.SIGKILL)\n"
_WAIT = "print('ready', flush=True)\nsys.stdin.read()\n"
_ADOPT = """
import pathlib, sys
from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
spool = Spool(pathlib.Path(sys.argv[1]), max_bytes=2**24, max_age_s=3600,
              when_full="drop", synchronous=False)
print("ready", flush=True)
sys.stdin.readline()
adopt_orphans(spool, pathlib.Path(sys.argv[1]))
rows = spool.lease(Signal.LOGS, max_rows=10**6, max_bytes=2**30)
for row in rows:
    print(row.body.decode())
spool.acknowledge([row.id for row in rows])
spool.close()
"""


def leave_orphan(directory, name="row", count=1):
    """Let a process write rows and be killed before it sends them."""
    arguments = [sys.executable, "-c", _LEAVE + _DIE, directory, name, str(count)]
    done = subprocess.run(arguments, check=False)
    assert done.returncode == -signal.SIGKILL


def start(script, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def lease_all(spool):
    return spool.lease(LOGS, max_rows=10**6, max_bytes=2**30)


def names(directory):
    return sorted(path.suffix for path in directory.iterdir())


def test_rows_of_a_killed_process_are_taken_over_and_its_file_goes(
    open_spool, tmp_path
):
    leave_orphan(tmp_path, count=2)
    spool = open_spool(tmp_path)
    accepted = []

    adopted = adopt_orphans(spool, tmp_path, lambda *booked: accepted.append(booked))

    assert adopted == {LOGS: 6}
    assert accepted == [(LOGS, 3), (LOGS, 3)]
    assert lease_all(spool) == [
        Row(1, LOGS, 3, 0, b"row 0"),
        Row(2, LOGS, 3, 0, b"row 1"),
    ]
    assert names(tmp_path) == [
        ".lock",
        ".owner",
        ".sqlite",
        ".sqlite-shm",
        ".sqlite-wal",
    ]


def test_a_row_keeps_whose_it_is_and_how_old_and_how_often_it_was_tried(
    open_spool, tmp_path, row, clock
):
    orphan = open_spool(tmp_path)
    orphan.append([row(b"old", subject="eve", group="security", priority=7)])
    orphan.release([leased.id for leased in lease_all(orphan)])
    made_ns = clock.now_ns()
    orphan.close()
    clock.advance(60)
    spool = open_spool(tmp_path)

    adopt_orphans(spool, tmp_path)

    found = spool._connection.execute("SELECT * FROM rows").fetchall()
    assert found == [
        (1, "logs", "eve", "security", 7, 1, "r1", 1, made_ns, crc32(b"old"), b"old"),
    ]


def test_the_file_of_a_living_process_is_left_alone(open_spool, tmp_path):
    living = start(_LEAVE + _WAIT, tmp_path, "theirs", 1)
    spool = open_spool(tmp_path)

    adopted = adopt_orphans(spool, tmp_path)
    living.communicate("", timeout=30)

    assert adopted == {}
    assert adopt_orphans(spool, tmp_path) == {LOGS: 3}


def test_a_spool_does_not_adopt_itself_or_another_of_its_process(
    open_spool, tmp_path, row
):
    one, other = open_spool(tmp_path), open_spool(tmp_path)
    one.append([row()])

    assert adopt_orphans(one, tmp_path) == {}
    assert adopt_orphans(other, tmp_path) == {}


def test_of_two_processes_each_orphan_is_adopted_by_just_one(tmp_path):
    for number in range(6):
        leave_orphan(tmp_path, name=f"orphan {number}", count=50)
    adopters = [start(_ADOPT, tmp_path) for _ in range(2)]
    for adopter in adopters:
        adopter.stdin.write("go\n")
        adopter.stdin.flush()
    lines = [
        line
        for adopter in adopters
        for line in adopter.communicate(timeout=60)[0].splitlines()
    ]

    assert sorted(lines) == sorted(
        f"orphan {number} {row}" for number in range(6) for row in range(50)
    )
    assert list(tmp_path.iterdir()) == []


def test_an_adopter_killed_in_the_middle_loses_nothing(open_spool, tmp_path):
    leave_orphan(tmp_path, count=500)
    # Killed between writing the third chunk and deleting it from the orphan.
    dying = _ADOPT.replace(
        "adopt_orphans(spool, pathlib.Path(sys.argv[1]))",
        "import os, signal\n"
        "chunk = []\n"
        "def accept(signal_, records):\n"
        "    chunk.append(records)\n"
        "    if len(chunk) == 3 * 64: os.kill(os.getpid(), signal.SIGKILL)\n"
        "adopt_orphans(spool, pathlib.Path(sys.argv[1]), accept)",
    )
    adopter = start(dying, tmp_path)
    adopter.communicate("go\n", timeout=60)
    assert adopter.returncode == -signal.SIGKILL
    spool = open_spool(tmp_path, max_bytes=2**24)

    adopted = adopt_orphans(spool, tmp_path)

    found = [row.body for row in lease_all(spool)]
    assert set(found) == {b"row %d" % number for number in range(500)}
    assert len(found) == 564
    assert adopted == {LOGS: 564 * 3}


def test_what_does_not_fit_stays_for_a_later_call(open_spool, tmp_path):
    leave_orphan(tmp_path, count=100)
    spool = open_spool(tmp_path, max_bytes=64 * 6)

    assert adopt_orphans(spool, tmp_path) == {LOGS: 64 * 3}
    assert adopt_orphans(spool, tmp_path) == {}
    spool.acknowledge([row.id for row in lease_all(spool)])
    assert adopt_orphans(spool, tmp_path) == {LOGS: 36 * 3}


def test_adopted_rows_that_are_too_old_expire_in_the_adopters_books(
    open_spool, tmp_path, row, clock
):
    orphan = open_spool(tmp_path)
    orphan.append([row(records=4)])
    orphan.close()
    clock.advance(4000)
    spool, books = open_spool(tmp_path), Books()
    adopt_orphans(spool, tmp_path, books.accept)

    for loss in spool.expire():
        books.drop(*loss)

    assert books.tally().logs == SignalTally(
        accepted=4, dropped={DropReason.EXPIRED.value: 4}
    )


def test_a_corrupt_file_is_set_aside_with_a_warning_and_others_are_adopted(
    open_spool, tmp_path, caplog
):
    (tmp_path / ("0" * 32 + ".sqlite")).write_bytes(b"no database at all" * 500)
    leave_orphan(tmp_path)
    spool = open_spool(tmp_path)

    adopted = adopt_orphans(spool, tmp_path)

    assert adopted == {LOGS: 3}
    assert (tmp_path / ("0" * 32 + ".corrupt")).exists()
    assert not (tmp_path / ("0" * 32 + ".sqlite")).exists()
    assert ["was set aside" in record.getMessage() for record in caplog.records] == [
        True
    ]


def test_a_row_that_makes_no_sense_sets_its_file_aside(open_spool, tmp_path, row):
    orphan = open_spool(tmp_path)
    orphan.append([row()])
    orphan.settle()
    orphan._connection.execute("UPDATE rows SET signal = 'smoke'")
    path = orphan.path
    orphan.close()

    assert adopt_orphans(open_spool(tmp_path), tmp_path) == {}
    assert path.with_suffix(".corrupt").exists()


def test_a_row_that_is_not_what_was_written_sets_its_file_aside(
    open_spool, tmp_path, row
):
    orphan = open_spool(tmp_path)
    orphan.append([row(b"written")])
    orphan.settle()
    orphan._connection.execute("UPDATE rows SET body = ?", (b"writt\0\0",))
    path = orphan.path
    orphan.close()
    spool = open_spool(tmp_path)

    assert adopt_orphans(spool, tmp_path) == {}
    assert lease_all(spool) == []
    assert path.with_suffix(".corrupt").exists()


def test_large_rows_move_in_chunks_of_about_a_megabyte(open_spool, tmp_path, row):
    orphan = open_spool(tmp_path, max_bytes=2**24)
    orphan.append([row(b"x" * 700_000) for _ in range(5)])
    orphan.close()
    spool = open_spool(tmp_path, max_bytes=3_000_000)

    assert adopt_orphans(spool, tmp_path) == {LOGS: 4}


def test_a_file_of_a_newer_format_is_left_alone(open_spool, tmp_path, row):
    orphan = open_spool(tmp_path)
    orphan.append([row()])
    orphan._connection.execute("PRAGMA user_version = 99")
    path = orphan.path
    orphan.close()
    spool = open_spool(tmp_path)

    assert adopt_orphans(spool, tmp_path) == {}
    assert path.exists()


def test_a_directory_that_is_not_there_holds_no_orphans(open_spool, tmp_path):
    assert adopt_orphans(open_spool(), tmp_path / "none") == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_that_ends_does_not_make_its_parent_look_dead(
    open_spool, tmp_path, row
):
    script = f"""
import os, sys
{_LEAVE}
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
{_WAIT}
"""
    parent = start(script, tmp_path, "parent", 1)
    adopted = adopt_orphans(open_spool(tmp_path), tmp_path)
    parent.communicate("", timeout=30)

    assert adopted == {}
