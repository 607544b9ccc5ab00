"""What a directory's file system can be trusted with, found out at start.

SQLite's write-ahead log keeps its index in a memory map that all its readers share.
Where another machine, or a server between, may hold the file, such a map and sometimes
even locks are a machine's own affair.
"""

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_LOCAL = frozenset(
    {
        *("bcachefs", "btrfs", "ecryptfs", "exfat", "ext2", "ext3", "ext4", "f2fs"),
        *("fuseblk", "jfs", "nilfs2", "ntfs3", "overlay", "reiserfs"),
        *("rootfs", "tmpfs", "vfat", "xfs", "zfs"),
    }
)


def file_system(directory: Path, mounts: str | None = None) -> str | None:
    """Return the type of the file system that holds a directory; None: not known.

    Args:
        directory: Need not be there yet.
        mounts: What Linux says in ``mountinfo``; None: read it.
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text("utf-8", "surrogateescape")
        except OSError:
            return None  # no Linux
    place = directory.resolve()
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        mount, _, type_ = line.partition(" - ")
        point = Path(_unescaped(mount.split()[4]))
        depth = len(point.parts)
        # Of two on one point the later one is on top.
        if place.is_relative_to(point) and (found is None or depth >= found[0]):
            found = depth, type_.split()[0]
    return None if found is None else found[1]


def is_shared(directory: Path, mounts: str | None = None) -> bool:
    """Return whether other machines may see the directory, or that is not known.

    What is not known to be local is not trusted; without ``mountinfo`` all is local.
    """
    type_ = file_system(directory, mounts)
    return type_ is not None and type_ not in _LOCAL


def _unescaped(point: str) -> str:
    r"""Return a mount point as it is: blanks are written ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)
