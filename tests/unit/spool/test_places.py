import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_otel.spool.files import create_spool_file
from jupyter_otel.spool.places import file_system, is_shared
from jupyter_otel.spool.store import Store

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /home rw,relatime shared:2 - nfs4 filer:/home rw,vers=4.2
31 30 8:2 / /home/ada/local\040disk rw - xfs /dev/sdb1 rw
32 22 0:27 / /srv rw - ext4 /dev/sdc1 rw
33 22 0:28 / /srv rw - fuse.sshfs host:/srv rw
""".strip()


@pytest.mark.parametrize(
    ("directory", "type_", "shared"),
    [
        ("/var/lib", "ext4", False),
        ("/home/ada/.local/share", "nfs4", True),
        ("/homework", "ext4", False),
        ("/home/ada/local disk/spool", "xfs", False),
        ("/srv/jupyter", "fuse.sshfs", True),
    ],
)
def test_the_innermost_and_latest_mount_decides(directory, type_, shared):
    assert file_system(Path(directory), MOUNTS) == type_
    assert is_shared(Path(directory), MOUNTS) is shared


def test_a_machine_that_lists_no_mounts_has_only_disks_of_its_own():
    assert is_shared(Path("/home"), "") is False


def test_this_directory_is_on_a_disk_of_this_machine(tmp_path):
    assert is_shared(tmp_path) is False


def test_on_a_shared_disk_there_is_no_memory_map_and_nobody_reads_along(tmp_path):
    store = Store(tmp_path, synchronous=True, shared=True)
    names = sorted(path.name[32:] for path in tmp_path.iterdir())
    with (
        closing(sqlite3.connect(store.path, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("SELECT * FROM rows")
    store.close(is_empty=False)

    assert names == [".lock", ".owner", ".sqlite", ".sqlite-wal"]


def test_the_owner_of_a_file_on_a_shared_disk_gives_signs_of_life(tmp_path):
    file = create_spool_file(tmp_path, shared=True)
    told = json.loads(file.note.read_text())
    before_ns = file.note.stat().st_mtime_ns
    file.beat()
    after_ns = file.note.stat().st_mtime_ns
    file.delete()

    assert told["beats"] is True
    assert after_ns > before_ns
