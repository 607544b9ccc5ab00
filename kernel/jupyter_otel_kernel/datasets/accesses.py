"""From calls that opened data to events, beside the code that makes the calls.

A loop over many files feels everything that is done between two of them. So a call is
only noted; what takes longer (clean its name, look at the file's size, write the event)
comes at the end of the cell, or some time later on the thread that sends.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from jupyter_otel_kernel.datasets.cell_log import CellLog
from jupyter_otel_kernel.datasets.functions import Function
from jupyter_otel_kernel.datasets.uris import clean, is_local

SCHEMA = "https://events.jupyter.org/jupyter_otel/dataset_access/v1"
WAIT_S = 2.0
"""So much of what was opened is at risk when the kernel dies within a cell. A loop that
is over before feels nothing of it, a longer one little."""
Emit = Callable[[str, dict[str, Any], str, int], bool]
"""Takes a schema's id, an event's data, its execution's id and its time (ns)."""

_EXTENSION = re.compile(
    r"(?i)\.(arrow|avro|bam|bin|bmp|bz2|cfg|csv|dat|db|dta|duckdb|fasta|fastq|feather"
    r"|fits|fwf|geojson|gif|gpkg|gz|h5|hdf5?|html?|ini|ipc|ipynb|jpe?g|json|jsonl|kml|lance"
    r"|log|mat|md|nc|ndjson|npy|npz|ods|onnx|orc|parquet|pdf|pickle|pkl|png|pt|py|r|rda"
    r"|rdata|rds|root|sas7bdat|sav|shp|sql|sqlite3?|svg|tar|tgz|tiff?|toml|tsv|txt|vcf|wav"
    r"|xlsb|xlsm|xlsx?|xml|xpt|xz|yaml|yml|zarr|zip|zst)/?$"
)
"""Those that say what data is; of `notes.johnsmith` the end is part of a name."""


class Access(NamedTuple):
    """A call that opened a dataset. Holds nothing of the caller's but text."""

    log: CellLog
    function: Function
    library: str
    operation: str
    status: str
    name: str
    """As it was written; a relative path made absolute."""
    time_ns: int


class Accesses:
    """Those that were noted and are not reported yet. Safe in any thread.

    Args:
        emit: Where the events go.
        call_later: Calls something in so many seconds, on another thread.
    """

    def __init__(
        self, emit: Emit, call_later: Callable[[float, Callable[[], None]], None]
    ) -> None:
        self._emit, self._call_later = emit, call_later
        self._lock = threading.RLock()
        self._waiting: deque[Access] = deque()
        self._is_due = False
        self.faults = 0
        """How many could not be reported for an error of ours."""

    def add(self, access: Access) -> None:
        """Note one."""
        self._waiting.append(access)
        if not self._is_due:
            self._is_due = True
            self._call_later(WAIT_S, self.report_all)

    def report_all(self) -> None:
        """Emit an event for each that waits; never raises."""
        with self._lock:
            self._is_due = False
            while self._waiting:
                # The edge of a hook: of the cell's end, or of the thread that sends.
                try:
                    self._report(self._waiting.popleft())
                except Exception:  # noqa: BLE001, PERF203 - one costs no other
                    self.faults += 1

    def report(self, log: CellLog, data: dict[str, Any], time_ns: int) -> bool:
        """Emit one event at once, unless the cell has reported the same before."""
        with self._lock:
            if not log.report(data["operation"], data["status"], data["uri"]):
                return False
        if not data.get("format"):
            data.pop("format", None)
            data.update(_extension(data["uri"]))
        if data["operation"] == "read":
            log.known_bytes += data.get("size_bytes", 0)
        return self._emit(SCHEMA, data, log.msg_id, time_ns)

    def summarize(self, log: CellLog, time_ns: int) -> None:
        """Emit what is left to say of a cell."""
        summary = log.summary()
        if summary is not None:
            self._emit(SCHEMA, summary, log.msg_id, time_ns)

    def _report(self, access: Access) -> None:
        uri = clean(access.name)
        if uri is None:
            return
        data: dict[str, Any] = {
            "operation": access.operation,
            "status": access.status,
            "uri": uri,
            "library": access.library,
            "function": access.function.shown,
            "format": access.function.format,
        }
        # How much is written through what was only opened nobody knows yet.
        if access.operation != "write" or not access.function.only_opens:
            data.update(_size(uri))
        self.report(access.log, data, access.time_ns)


def _extension(uri: str) -> dict[str, str]:
    """Return the format that a name's end tells, if it tells one."""
    found = _EXTENSION.search(uri)
    return {"format": found[1].lower()} if found else {}


def _size(uri: str) -> dict[str, int]:
    """Return the size of a local file, if it is one."""
    if not is_local(uri):
        return {}
    try:
        found = os.stat(uri)  # noqa: PTH116 - a Path costs more than the call
    except (OSError, ValueError):
        return {}
    return {"size_bytes": found.st_size} if stat.S_ISREG(found.st_mode) else {}
