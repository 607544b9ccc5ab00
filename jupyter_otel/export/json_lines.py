"""The embedded default: OTLP/JSON in files, one request a line, rotated by size.

::

    <directory>/                 0700
      logs.jsonl                 0600, being written
      logs.1.jsonl … logs.5.jsonl   older, 5 the oldest
      logs.lock                  held while one process writes or rotates

Several processes may write to one directory. A line is whole or not there.
"""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from jupyter_otel.errors import ConfigError
from jupyter_otel.export.verdicts import Rejected, Retry, Sent, Verdict
from jupyter_otel.tally import Signal

_OLD_FILES = 5


class JsonLines:
    """Appends one signal's requests to a file, as lines of OTLP/JSON.

    Raises:
        ConfigError: The directory cannot be made or written.
    """

    max_request_bytes = 16 * 2**20
    _lock_timeout_s = 5.0

    def __init__(self, signal: Signal, directory: Path, *, max_file_bytes: int) -> None:
        self.name = str(directory)
        self._signal = signal
        self._path = directory / f"{signal.value}.jsonl"
        self._max_file_bytes = max_file_bytes
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(_open(self._path))
        except OSError as error:
            raise ConfigError(
                f"OtelExport.directory must be a directory that can be written, got "
                f"{str(directory)!r} ({error.strerror}). Name one that this account "
                "owns."
            ) from error
        self._lock = FileLock(
            directory / f"{signal.value}.lock", mode=0o600, thread_local=False
        )

    def send(self, request: bytes, records: int) -> Verdict:
        """Append a request as a line; full disks and held locks are to be retried."""
        del records
        # Imports the protocol's messages: a start must not wait for them.
        from jupyter_otel.export.otlp_json import to_json  # noqa: PLC0415

        try:
            line = to_json(self._signal, request) + b"\n"
        except ValueError as error:
            return Rejected(str(error))
        try:
            with self._lock.acquire(timeout=self._lock_timeout_s):
                self._rotate(len(line))
                _append(self._path, line)
        except (OSError, Timeout) as error:
            return Retry(
                None,
                f"{type(error).__name__} writing {self._path}: check that "
                "OtelExport.directory can be written and its disk has room",
            )
        return Sent()

    def close(self) -> None:
        """Do nothing: no file stays open between requests."""

    def _rotate(self, more_bytes: int) -> None:
        size = self._path.stat().st_size if self._path.exists() else 0
        if size == 0 or size + more_bytes <= self._max_file_bytes:
            return
        for age in range(_OLD_FILES, 1, -1):
            younger = _old(self._path, age - 1)
            if younger.exists():
                younger.replace(_old(self._path, age))
        self._path.replace(_old(self._path, 1))


def list_files(directory: Path, signal: Signal) -> list[Path]:
    """Return one signal's files that exist, the oldest first."""
    newest = directory / f"{signal.value}.jsonl"
    old = (_old(newest, age) for age in range(_OLD_FILES, 0, -1))
    return [path for path in (*old, newest) if path.exists()]


def _old(path: Path, age: int) -> Path:
    return path.with_name(f"{path.stem}.{age}{path.suffix}")


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _append(path: Path, line: bytes) -> None:
    """Write a whole line or, on a full disk, nothing of it."""
    descriptor = _open(path)
    try:
        before = os.fstat(descriptor).st_size
        try:
            written = 0
            while written < len(line):
                written += os.write(descriptor, line[written:])
        except OSError:
            os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)
