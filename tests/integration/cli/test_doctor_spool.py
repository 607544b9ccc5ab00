"""What the doctor finds where records wait."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMESPACE = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-r", "-m"]
SCRIPT = Path(sys.executable).with_name("jupyter-otel")


def can_mount():
    """Return whether a file system may be mounted in a namespace here."""
    command = [*NAMESPACE, "mount", "-t", "ramfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def spool(cli):
    directory = cli.home / "spool"
    directory.mkdir(mode=0o700)
    return directory


def test_a_file_set_aside_is_told_of(doctor, spool):
    (spool / "x.corrupt").write_bytes(b"x")
    _, found = doctor(f"--OtelSpool.directory={spool}")

    assert found["spool"][1:] == [
        (
            "warning",
            f"1 file in {spool} could not be read and was set aside",
            "Look at it if you can; `jupyter otel spool discard` removes it.",
        )
    ]


def test_a_file_that_no_version_here_knows_is_told_of(doctor, spool):
    (spool / "x.sqlite").write_bytes(b"x" * 4096)
    _, found = doctor(f"--OtelSpool.directory={spool}")

    assert found["spool"][1:] == [
        (
            "warning",
            f"1 file in {spool} cannot be read: of a newer version?",
            "Start that version once, or run `jupyter otel spool discard`.",
        )
    ]


def test_more_than_there_is_room_for_is_a_warning(doctor, spool):
    _, found = doctor(f"--OtelSpool.directory={spool}", "--OtelSpool.max_mib=99999999")
    [(state, what, _)] = found["spool"]

    assert state == "warning"
    assert "for which up to 199999998 are needed" in what


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount in a namespace")
def test_a_disk_that_is_not_known_to_be_local_is_told_of(cli, spool):
    # No network file system can be mounted here: ramfs stands for one not trusted.
    mount = f'mount -t ramfs none "{spool}" && exec "$@"'
    shell = [*NAMESPACE, "sh", "-c", mount, "-"]
    done = subprocess.run(
        [*shell, SCRIPT, "doctor", f"--OtelSpool.directory={spool}"],
        env=cli.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert f"{spool} is on ramfs, which other machines may share" in done.stdout
