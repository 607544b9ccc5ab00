import os
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from jupyter_otel.errors import SpoolError
from jupyter_otel.spool.rows import Loss
from jupyter_otel.tally import DropReason, Signal

LOGS, TRACES, METRICS = Signal.LOGS, Signal.TRACES, Signal.METRICS


def lease_all(spool, signal=LOGS):
    return spool.lease(signal, max_rows=1000, max_bytes=2**30)


def bodies(rows):
    return [row.body for row in rows]


def test_a_database_error_loses_what_was_appended_and_raises_nothing(
    open_spool, tmp_path, row, caplog
):
    spool = open_spool(tmp_path)
    spool.append([row(b"before")])
    spool.settle()
    spool._connection.execute("ALTER TABLE rows RENAME TO gone")

    spool.append([row(records=2), row(signal=TRACES, records=3)])
    lost = spool.settle()
    spool.append([row()])
    spool.settle()
    spool._connection.execute("ALTER TABLE gone RENAME TO rows")

    assert spool.append([row(b"after")]) == []
    assert bodies(lease_all(spool)) == [b"before", b"after"]
    assert lost == [
        Loss(LOGS, DropReason.SPOOL_ERROR, 2),
        Loss(TRACES, DropReason.SPOOL_ERROR, 3),
    ]
    assert spool.pending() == {LOGS: 2, TRACES: 0, METRICS: 0}
    assert len(caplog.records) == 1


def test_a_lease_that_cannot_read_is_a_spool_error(open_spool, tmp_path):
    spool = open_spool(tmp_path)
    spool._connection.execute("ALTER TABLE rows RENAME TO gone")

    with pytest.raises(SpoolError, match="cannot be used"):
        lease_all(spool)


def test_rows_that_cannot_be_deleted_are_not_leased_again_and_go_later(
    open_spool, tmp_path, row
):
    spool = open_spool(tmp_path)
    spool.append([row(b"one"), row(b"two")])
    spool.settle()
    one, two = lease_all(spool)
    spool._connection.execute("PRAGMA query_only = 1")
    spool.acknowledge([one.id])
    spool.acknowledge([one.id])
    spool.release([one.id])
    assert spool.pending()[LOGS] == 1
    spool._connection.execute("PRAGMA query_only = 0")
    spool.release([two.id])

    assert bodies(lease_all(spool)) == [b"two"]
    spool.acknowledge([two.id])
    count = spool._connection.execute("SELECT count(*) FROM rows").fetchone()
    assert count == (0,)


def test_a_full_disk_is_a_counted_loss_and_room_makes_it_work_again(tmp_path):
    # A file size limit fails writes as a full disk does; it is set in a process apart.
    script = f"""
import pathlib, resource, signal
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(pathlib.Path({str(tmp_path)!r}), max_bytes=2**30, max_age_s=60,
              when_full="drop", synchronous=False)
row = NewRow(Signal.LOGS, "", "data", 1, 1, "r", b"x" * 10000)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300000, hard))
lost = [loss.reason.value for _ in range(100)
        for loss in spool.append([row]) + spool.settle()]
kept = spool.pending()[Signal.LOGS]
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
again = spool.append([row]) + spool.settle()
rows = spool.lease(Signal.LOGS, max_rows=1000, max_bytes=2**30)
print(set(lost), len(lost) + kept, again, len(rows) - kept)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "{'spool_error'} 100 [] 1\n"


def test_closing_while_other_threads_work_is_safe(open_spool, tmp_path, row):
    spool = open_spool(tmp_path, max_bytes=10**6)
    errors = []

    def work():
        try:
            for _ in range(200):
                spool.append([row(b"x" * 100)])
                spool.acknowledge([row.id for row in lease_all(spool)])
        except sqlite3.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    spool.close()
    for thread in threads:
        thread.join()

    assert errors == []


def test_a_forked_child_neither_uses_nor_closes_its_parents_spool(
    open_spool, tmp_path, row
):
    spool = open_spool(tmp_path)
    spool.append([row(b"one")])

    child = os.fork()
    if child == 0:
        is_alien = spool.lease(LOGS, max_rows=9, max_bytes=99) == []
        lost = spool.append([row()])
        spool.close()
        is_lost = lost == [Loss(LOGS, DropReason.SHUTDOWN, 1)]
        os._exit(0 if is_alien and is_lost and not spool._held.young else 1)
    _, status = os.waitpid(child, 0)
    spool.append([row(b"two")])

    assert os.waitstatus_to_exitcode(status) == 0
    assert bodies(lease_all(spool)) == [b"one", b"two"]


def test_rows_survive_a_kill(open_spool, tmp_path):
    script = f"""
import os, pathlib, signal
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
spool = Spool(pathlib.Path({str(tmp_path)!r}), max_bytes=2**20, max_age_s=60,
              when_full="drop", synchronous=False)
spool.append([NewRow(Signal.LOGS, "", "data", 1, 1, "r", b"kept")])
spool.settle()
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    (file,) = tmp_path.glob("*.sqlite")
    with sqlite3.connect(file) as connection:
        found = connection.execute("SELECT body FROM rows").fetchall()
    connection.close()

    assert killed.returncode == -signal.SIGKILL
    assert found == [(b"kept",)]


def damage(spool):
    """Overwrite the file's pages behind SQLite's back, as a failing disk does."""
    spool._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with spool.path.open("r+b") as file:
        file.write(b"\x00garbage" * 3000)
    spool._connection.execute("PRAGMA shrink_memory")


def test_a_file_damaged_while_in_use_is_set_aside_and_a_new_one_begun(
    open_spool, tmp_path, row, caplog
):
    spool = open_spool(tmp_path)
    spool.append([row(b"sent", records=2), row(b"busy", records=3)])
    sent, busy = lease_all(spool)
    spool.append([row(b"waits", records=5)])
    spool.settle()
    damaged = spool.path
    damage(spool)

    spool.append([row(records=7)])
    first = spool.settle()
    spool.append([row(b"new")])
    spool.acknowledge([sent.id])
    spool.release([busy.id])
    second = spool.append([])

    assert first == [
        Loss(LOGS, DropReason.SPOOL_ERROR, 7),
        Loss(LOGS, DropReason.SPOOL_ERROR, 5),
    ]
    assert second == [Loss(LOGS, DropReason.SPOOL_ERROR, 3)]
    assert bodies(lease_all(spool)) == [b"new"]
    assert spool.pending()[LOGS] == 1
    assert spool.size_bytes() == 3
    assert damaged.with_suffix(".corrupt").exists()
    assert not damaged.exists()
    assert len(caplog.records) == 1
