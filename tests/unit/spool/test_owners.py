"""Who is alive on other machines: their notes are written here as they would be."""

import json
import os
import shutil

import pytest

from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.owners import (
    LONG_SILENCE_S,
    SILENCE_S,
    Owner,
    Watch,
    read_owner,
    take_over,
    this_kernel,
    write_owner,
)
from jupyter_otel.tally import Signal

LOGS = Signal.LOGS


@pytest.fixture
def leave(open_spool, tmp_path, row):
    """Leave a spool of one row in a directory, with an owner on some machine."""

    def leave_one(kernel="of another machine", *, beats=True):
        spool = open_spool(tmp_path)
        path = spool.path
        spool.append([row(records=3)])
        spool.close()
        owner = {"kernel": kernel, "host": "elsewhere", "beats": beats}
        path.with_suffix(".owner").write_text(json.dumps(owner))
        return path

    return leave_one


@pytest.fixture
def watch(clock):
    return Watch(is_shared=True, monotonic=clock.monotonic)


def beat(path):
    os.utime(path.with_suffix(".owner"))


def test_a_file_says_on_which_running_system_its_process_is(open_spool, tmp_path):
    owner = read_owner(open_spool(tmp_path).path.with_suffix(".owner"))

    assert owner == Owner(this_kernel(), os.uname().nodename, beats=False)


def test_of_another_machine_a_file_whose_lock_is_free_is_not_adopted_while_it_beats(
    leave, open_spool, tmp_path, watch, clock
):
    path = leave()
    spool = open_spool(tmp_path)
    adopted = []
    for _ in range(20):
        adopted.append(adopt_orphans(spool, tmp_path, watch=watch))
        clock.advance(SILENCE_S - 1)
        beat(path)

    assert adopted == [{}] * 20


def test_of_another_machine_a_silent_file_is_adopted_in_the_end(
    leave, open_spool, tmp_path, watch, clock
):
    path = leave()
    spool = open_spool(tmp_path)

    assert adopt_orphans(spool, tmp_path, watch=watch) == {}
    clock.advance(SILENCE_S)
    assert adopt_orphans(spool, tmp_path, watch=watch) == {LOGS: 3}
    assert not path.exists()
    assert not path.with_suffix(".owner").exists()


def test_a_clock_that_jumps_makes_no_living_file_look_dead(
    leave, open_spool, tmp_path, watch
):
    path = leave()
    os.utime(path.with_suffix(".owner"), (0, 0))

    assert adopt_orphans(open_spool(tmp_path), tmp_path, watch=watch) == {}


def test_after_a_reboot_what_lies_on_a_disk_of_this_machine_is_adopted_at_once(
    leave, open_spool, tmp_path
):
    leave("of this machine before", beats=False)

    assert adopt_orphans(open_spool(tmp_path), tmp_path) == {LOGS: 3}


def test_a_file_whose_owner_gives_no_signs_on_a_shared_disk_waits_for_a_day(
    leave, open_spool, tmp_path, watch, clock
):
    leave(beats=False)
    spool = open_spool(tmp_path)
    adopt_orphans(spool, tmp_path, watch=watch)
    clock.advance(LONG_SILENCE_S - 1)

    assert adopt_orphans(spool, tmp_path, watch=watch) == {}
    clock.advance(1)
    assert adopt_orphans(spool, tmp_path, watch=watch) == {LOGS: 3}


def test_a_file_that_says_nothing_readable_of_its_owner_is_not_forgotten(
    leave, open_spool, tmp_path
):
    leave().with_suffix(".owner").write_text("torn")
    leave().with_suffix(".owner").unlink()

    assert adopt_orphans(open_spool(tmp_path), tmp_path) == {LOGS: 6}


def test_of_many_that_find_an_owner_dead_one_takes_over(tmp_path):
    note = tmp_path / "x.owner"
    dead = Owner("of another machine", "elsewhere", beats=True)
    note.write_text(json.dumps(dead._asdict()))

    assert [take_over(note, dead, beats=True) for _ in range(3)] == [True, False, False]
    assert read_owner(note) == Owner(this_kernel(), os.uname().nodename, beats=True)
    assert list(tmp_path.iterdir()) == [note]


def test_whoever_is_late_leaves_the_faster_ones_note(tmp_path):
    note = tmp_path / "x.owner"
    write_owner(note, beats=True)
    dead = Owner("of another machine", "elsewhere", beats=True)

    assert take_over(note, dead, beats=False) is False
    assert read_owner(note) == Owner(this_kernel(), os.uname().nodename, beats=True)
    assert list(tmp_path.iterdir()) == [note]


def test_a_copy_of_a_directory_is_adopted_and_its_living_original_is_not(
    open_spool, tmp_path, row
):
    living = open_spool(tmp_path / "spool")
    living.append([row(records=5)])
    living.settle()
    shutil.copytree(tmp_path / "spool", tmp_path / "copy")
    adopter = open_spool(tmp_path / "copy")

    assert adopt_orphans(adopter, tmp_path / "spool") == {}
    assert adopt_orphans(adopter, tmp_path / "copy") == {LOGS: 5}
    assert living.pending()[LOGS] == 5
    assert living.append([row(records=2)]) + living.settle() == []


def test_what_an_interrupted_deletion_left_is_removed(leave, open_spool, tmp_path):
    path = leave()
    path.unlink()
    path.with_name(f"{path.name}-wal").write_bytes(b"rows")
    lock = path.with_suffix(".lock")
    adopt_orphans(open_spool(), tmp_path)
    assert lock.exists()
    os.utime(lock, (0, 0))
    adopt_orphans(open_spool(), tmp_path)

    assert list(tmp_path.iterdir()) == []
