"""The spool on disks that are full, over quota, read-only, and as the kernel sees it.

A tmpfs of a few hundred KiB in a mount namespace of its own is a disk that fills up;
strace gives errors that no disk here has, and shows the order of system calls.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

NAMESPACE = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-r", "-m"]
PRELUDE = """
import json, logging, os, pathlib, subprocess, sys, time
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
logging.disable()
disk = pathlib.Path(sys.argv[1])
def mount(*options):
    subprocess.run(["mount", *options, str(disk)], check=True)
def open_spool(synchronous=False, directory=disk / "spool"):
    return Spool(directory, max_bytes=2**26, max_age_s=3600, when_full="drop",
                 synchronous=synchronous)
def row(size=10_000):
    return NewRow(Signal.LOGS, "", "data", 1, 1, "r", b"x" * size)
def lost(losses):
    return {loss.reason.value: loss.records for loss in losses}
def fill():
    with (disk / "fill").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
"""


def works(command):
    """Return whether a program is here and may do this."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


needs_namespace = pytest.mark.skipif(
    not works([*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"]),
    reason="needs the right to mount in a namespace (unshare)",
)
needs_strace = pytest.mark.skipif(
    not works(["strace", "-f", "true"]), reason="needs strace, allowed to trace"
)


def run(script, directory, *, through=()):
    done = subprocess.run(
        [*through, sys.executable, "-c", PRELUDE + script, str(directory)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@needs_namespace
def test_a_disk_that_fills_up_is_counted_and_room_makes_it_work_again(tmp_path):
    script = """
mount("-t", "tmpfs", "-o", "size=600k", "none")
spool = open_spool()
spool.append([row()]); spool.settle()
fill()
losses = [spool.append([row()]) + spool.settle() for _ in range(50)]
reasons = lost(sum(losses, []))
(disk / "fill").unlink()
again = lost(spool.append([row()]) + spool.settle())
rows = spool.lease(Signal.LOGS, max_rows=100, max_bytes=2**30)
spool.acknowledge([row.id for row in rows])
left = spool.pending()[Signal.LOGS]
spool.close()
files = [path.name for path in (disk / "spool").iterdir()]
print(json.dumps([list(reasons), again, len(rows), left, files]))
"""
    found = run(script, tmp_path, through=NAMESPACE)
    assert found == [["spool_error"], {}, 2, 0, []]


@needs_namespace
def test_a_disk_that_is_full_at_the_start_is_used_once_it_has_room(tmp_path):
    script = """
mount("-t", "tmpfs", "-o", "size=600k", "none")
fill()
spool = open_spool()
kept = lost(spool.append([row()]) + spool.settle())
in_memory = spool.path is None
(disk / "fill").unlink()
spool._held.store._try_again_at = 0
spool.settle()
print(json.dumps([kept, in_memory, spool.path is not None, spool.pending()["logs"]]))
"""
    assert run(script, tmp_path, through=NAMESPACE) == [{}, True, True, 1]


@needs_namespace
def test_a_directory_that_is_read_only_at_the_start_is_said_once(tmp_path):
    script = """
mount("-t", "tmpfs", "-o", "ro", "none")
try:
    open_spool()
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    kind, text = run(script, tmp_path, through=NAMESPACE)
    assert kind == "SpoolError"
    assert re.match(
        r"OtelSpool\.directory must be a directory that can be written, got .*"
        r"Read-only file system.* Name one that this account owns\.",
        text,
    )


TWO_ROWS = """
spool = open_spool(synchronous=True)
first = lost(spool.append([row()]))
"""


def failing(error, first, last=""):
    """Return what lets a run of writes fail, counted from the second row's first."""
    step = f"when={first}..{last}" if last else f"when={first}+"
    inject = f"inject=pwrite64:error={error}:{step}"
    return ["strace", "-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", inject]


@pytest.fixture
def next_write(tmp_path):
    """Return the number of the first write after the first row's, of a second run."""
    trace = tmp_path / "trace"
    tracer = ["strace", "-f", "-o", str(trace), "-e", "trace=pwrite64"]
    end = "print(json.dumps(first), flush=True); os._exit(0)"
    assert run(TWO_ROWS + end, tmp_path / "counted", through=tracer) == {}
    return 1 + sum("pwrite64(" in line for line in trace.read_text().splitlines())


@needs_strace
@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT", "EIO", "EROFS"])
def test_an_error_of_the_disk_is_a_counted_drop_until_it_is_over(
    tmp_path, next_write, error
):
    script = f"""
{TWO_ROWS}
losses = [lost(spool.append([row()])) for _ in range(3)]
print(json.dumps([first, losses, spool.pending()["logs"]]))
"""
    # Two writes fail: one of the second row, one of the third.
    through = failing(error, next_write, next_write + 1)
    found = run(script, tmp_path / "failing", through=through)
    assert found == [{}, [{"spool_error": 1}, {"spool_error": 1}, {}], 2]


@needs_strace
def test_a_directory_that_becomes_read_only_still_gives_its_rows(tmp_path, next_write):
    script = f"""
{TWO_ROWS}
taken = lost(spool.append([row()]))
rows = spool.lease(Signal.LOGS, max_rows=100, max_bytes=2**30)
spool.acknowledge([row.id for row in rows])
twice = spool.lease(Signal.LOGS, max_rows=100, max_bytes=2**30)
print(json.dumps([taken, len(rows), len(twice), spool.pending()["logs"]]))
"""
    through = failing("EROFS", next_write)
    found = run(script, tmp_path / "failing", through=through)
    assert found == [{"spool_error": 1}, 1, 0, 0]


EMIT = """
sys.path.insert(0, sys.argv[2])
import crashes
from jupyter_otel.telemetry import Telemetry
(disk / "overlay.yaml").write_text(crashes.OVERLAY)
telemetry = Telemetry(crashes.config(disk, sys.argv[3], is_refused=True))
telemetry.register_schema(crashes.SCHEMA)
for number in range(5):
    os.write(1, b"begin\\n")
    done = telemetry.emit(schema_id=crashes.SCHEMA_ID, data={"n": number})
    os.write(1, b"end %d\\n" % done)
os._exit(0)
"""
FAULTS = Path(__file__).parents[2] / "faults"
CALL = re.compile(
    r'(?P<thread>\d+) +(?:(?P<mark>write)\(1<[^>]*>, "(?P<text>begin|end \d)'
    r"|(?P<write>pwrite64)\(\d+<[^>]*-wal>"
    r"|(?P<sync>f(?:data)?sync)\(\d+<[^>]*-wal>(?P<begun> <unfinished)?"
    r"|<\.\.\. f(?:data)?sync resumed>\) += 0)"
)


def calls_of(lines):
    """Yield what happened, in order: begin, write and sync of the log, end."""
    syncing = set()
    for call in filter(None, map(CALL.match, lines)):
        if call["mark"]:
            yield call["text"]
        elif call["write"]:
            yield "write"
        elif call["begun"]:
            syncing.add(call["thread"])
        elif call["sync"] or call["thread"] in syncing:
            syncing.discard(call["thread"])
            yield "sync"


def traced_emits(directory, durability):
    """Return, for each of five calls of `emit`, what it did to the log on disk."""
    trace = directory / "trace"
    calls = "trace=write,pwrite64,fsync,fdatasync"
    tracer = ["strace", "-f", "-y", "-o", trace, "-e", calls]
    script = [sys.executable, "-c", PRELUDE + EMIT, directory, FAULTS, durability]
    done = subprocess.run(
        [*tracer, *script], check=False, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    told = " ".join(calls_of(trace.read_text().splitlines()))
    return [part.split() for part in re.findall(r"begin(.*?)end 1", told)]


@needs_strace
def test_in_sync_the_log_is_written_and_synced_before_emit_returns(tmp_path):
    emits = traced_emits(tmp_path, "sync")
    assert len(emits) == 5
    for calls in emits:
        assert set(calls) == {"write", "sync"}
        assert calls[-1] == "sync"


@needs_strace
def test_in_batched_emit_waits_for_no_disk(tmp_path):
    emits = traced_emits(tmp_path, "batched")
    assert len(emits) == 5
    assert [calls for calls in emits if "sync" in calls] == []
