"""What a crash leaves of a spool's files, byte by byte, and who takes it over."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_otel.spool.adoption import Adopter, adopt_orphans
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal

LOGS = Signal.LOGS
BODIES = [b"%d " % number * 400 for number in range(60)]
PROCESS = """
import os, pathlib, signal, sys
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
spool = Spool(pathlib.Path(sys.argv[1]), max_bytes=2**20, max_age_s=60,
              when_full="drop", synchronous=True)
spool.append([NewRow(Signal.LOGS, "", "data", 1, 1, "r", sys.argv[2].encode())])
print(os.getpid(), flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def new_spool(directory):
    return Spool(
        directory, max_bytes=2**24, max_age_s=60, when_full="drop", synchronous=True
    )


def lease_all(spool):
    return [row.body for row in spool.lease(LOGS, max_rows=10**6, max_bytes=2**30)]


class Files(dict):
    """Files by name; small to look at."""

    def __repr__(self):
        """Return the names."""
        return f"<{', '.join(self)}>"


@pytest.fixture(scope="module")
def crashed():
    """Return the files of a spool as a kill left them: rows in file and log."""
    with tempfile.TemporaryDirectory() as name:
        spool = new_spool(Path(name, "spool"))
        for number, body in enumerate(BODIES):
            spool.append([NewRow(LOGS, "", "data", 1, 1, "r", body)])
            if number == len(BODIES) // 2:
                spool._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        files = Files(
            (path.name, path.read_bytes())
            for path in Path(name, "spool").iterdir()
            if path.suffix in {".sqlite", ".sqlite-wal", ".owner"}
        )
        spool.close()
        shutil.rmtree(Path(name, "spool"))
    return files


def adopted_of(files):
    """Return the bodies that are adopted of files, and how many are set aside."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for file, content in files.items():
            (directory / file).write_bytes(content)
        spool = new_spool(None)
        adopt_orphans(spool, directory)
        bodies = lease_all(spool)
        spool.close()
        return bodies, len(list(directory.glob("*.corrupt")))


PARTS = st.floats(0, 1, exclude_max=True)


@given(part=PARTS, rest=st.binary(max_size=64))
def test_a_log_that_was_cut_off_anywhere_gives_all_rows_before_it(crashed, part, rest):
    (log,) = (name for name in crashed if name.endswith("-wal"))
    length = int(part * len(crashed[log]))
    files = crashed | {log: crashed[log][:length] + rest}

    bodies, aside = adopted_of(files)

    assert bodies == BODIES[: len(bodies)]
    assert len(bodies) > len(BODIES) // 2
    assert aside == 0


@given(part=PARTS)
def test_a_file_that_was_cut_off_anywhere_is_adopted_or_set_aside(crashed, part):
    (file,) = (name for name in crashed if name.endswith(".sqlite"))
    length = 1 + int(part * (len(crashed[file]) - 1))

    bodies, aside = adopted_of(crashed | {file: crashed[file][:length]})

    assert set(bodies) <= set(BODIES)
    # The log may have all that was cut off.
    assert aside == 1 or bodies == BODIES


def test_a_whole_file_and_its_log_give_every_row(crashed):
    assert adopted_of(crashed) == (BODIES, 0)


def test_a_neighbour_that_dies_is_adopted_while_this_process_runs(open_spool, tmp_path):
    neighbour = start(PROCESS, tmp_path, "theirs")
    spool = open_spool(tmp_path)
    has_woken = threading.Event()
    adopter = Adopter(
        spool,
        tmp_path,
        lambda _signal, _records: None,
        lambda _signal: has_woken.set(),
        every_s=0.01,
    )
    adopter.start()
    adopter.wait_for_first_look(30)
    before = spool.pending()[LOGS]
    neighbour.communicate("die\n", timeout=30)

    assert has_woken.wait(30)
    adopter.stop()
    assert neighbour.returncode == -signal.SIGKILL
    assert (before, lease_all(spool)) == (0, [b"theirs"])


def start(script, *arguments, through=()):
    process = subprocess.Popen(
        [*through, sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.number = int(process.stdout.readline() or 0)
    return process


CONTAINER = ["unshare", "--pid", "--fork", "--kill-child"]


def can_contain():
    """Return whether process numbers can be begun anew here."""
    try:
        done = subprocess.run([*CONTAINER, "true"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and os.getuid() == 0


@pytest.mark.skipif(not can_contain(), reason="needs unshare, and root")
def test_containers_whose_process_numbers_repeat_are_told_apart(open_spool, tmp_path):
    living = start(PROCESS, tmp_path, "living", through=CONTAINER)
    dead = start(PROCESS, tmp_path, "dead", through=CONTAINER)
    dead.kill()
    dead.communicate(timeout=30)
    spool = open_spool(tmp_path)

    adopted = adopt_orphans(spool, tmp_path)
    living.kill()
    living.communicate(timeout=30)

    assert living.number == dead.number == 1
    assert adopted == {LOGS: 1}
    assert lease_all(spool) == [b"dead"]
