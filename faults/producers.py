"""Runs ``run.py`` as a process of its own, and kills it where a row says so."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from run import PAUSE_S
from scenes import Way

RUN = Path(__file__).with_name("run.py")
LIMIT_S = 90


@dataclass
class Ended:
    """A process that has ended."""

    acknowledged: dict[int, int]
    """When `emit` had returned for each event that it took, in nanoseconds."""
    books: dict[str, Any] | None
    """None: it was killed."""
    exit_s: float | None
    killed_ns: int
    log: str

    def age_s(self, number: int) -> float:
        """Return how long before the kill an event was acknowledged."""
        return (self.killed_ns - self.acknowledged[number]) / 1e9

    def waited_s(self) -> float:
        """Return for how long the machine left the process waiting, at the worst."""
        times = sorted(self.acknowledged.values())
        gaps = [(later - earlier) / 1e9 for earlier, later in pairwise(times)]
        return max(max(gaps, default=0.0) - PAUSE_S, 0.0)


def run_process(
    road: str, way: Way, folder: Path, events: int, *, kill_after: int | None = None
) -> Ended:
    """Run one producer; kill it once it has acknowledged so many events."""
    log = folder / f"{time.monotonic_ns()}.log"
    command = [sys.executable, str(RUN), road, way.url, str(folder), str(events)]
    command += ["--protocol", way.protocol, "--certificate-file", way.certificate_file]
    ended = Ended({}, None, None, 0, "")
    closing_s = None
    with (
        log.open("w") as stderr,
        subprocess.Popen(  # noqa: S603 - our own script
            command,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=_environment(way),
        ) as process,
    ):
        for line in process.stdout or ():
            match line.split():
                case ["closing"]:
                    closing_s = time.monotonic()
                case ["books", *_]:
                    ended.books = json.loads(line.removeprefix("books "))
                case [number, time_ns]:
                    ended.acknowledged[int(number)] = int(time_ns)
            if not ended.killed_ns and len(ended.acknowledged) == kill_after:
                # What it wrote before it died is still read.
                ended.killed_ns = time.monotonic_ns()
                process.kill()
        process.wait(LIMIT_S)
    if closing_s is not None:
        ended.exit_s = time.monotonic() - closing_s
    ended.log = log.read_text()
    return ended


def _environment(way: Way) -> dict[str, str]:
    """Return a process's variables: no proxies and authorities but those of the way."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith(("_proxy", "_ca_bundle"))
    }
    return kept | dict(way.environment)
