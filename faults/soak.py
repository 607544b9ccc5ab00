"""Events at high speed while the collector's faults switch at random.

::

    python faults/soak.py --seconds 600 [--seed N]        `make soak`

At the end the books must balance, every event accepted be at the collector or counted
as dropped, and memory be as large as after the first third; else exit status 1. The
seed is printed: the same one gives the same faults.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from run import CANARY, SCHEMA, SCHEMA_ID, TOKEN, configured, event

from jupyter_otel.tally import Signal
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.testing.faults import FAULTS
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver

PER_S = 2000
BURST = 100
SLOW = frozenset({"black hole", "1 byte/s", "1 byte/s, headers too"})
"""Each would take up a second of a short run; the table has them."""
MAX_GROWTH_KIB = 8 * 1024


class Collector:
    """A receiver that comes, misbehaves, goes, and comes back on its port."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._is_over = threading.Event()
        self._port = 0
        self.taken: set[int] = set()
        self.seen: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._open()

    @property
    def url(self) -> str:
        """Where it listens, when it does."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Begin to misbehave."""
        self._thread.start()

    def settle_down(self) -> None:
        """Misbehave no more."""
        self._is_over.set()
        self._thread.join()

    def close(self) -> None:
        """Go for good."""
        self._close()

    def _run(self) -> None:
        names = [name for name in FAULTS if name not in SLOW]
        while not self._is_over.wait(self._random.uniform(0.1, 1.0)):
            fault = self._random.choice([*names, "away"])
            self.seen.append(fault)
            self._close()
            if fault == "away":
                self._is_over.wait(self._random.uniform(0.1, 2.0))
            self._open(FAULTS.get(fault, ()))

    def _open(self, answers: Sequence[Answer] = ()) -> None:
        self._receiver = HttpReceiver(answers, port=self._port)
        self._receiver.__enter__()
        self._port = self._receiver.port

    def _close(self) -> None:
        self._receiver.__exit__(None, None, None)
        for record in self._receiver.inbox.records(Signal.LOGS):
            self.taken.update(
                a.value.int_value
                for a in record.attributes
                if a.key == "jupyter.event.n"
            )


def memory_kib() -> int:
    """Return the memory that this process has resident."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def produce(folder: Path, url: str, seconds: float) -> None:
    """Emit at a steady rate, flush when told to, and print what it came to."""
    with Telemetry(configured(folder, url)) as telemetry:
        telemetry.register_schema(SCHEMA)
        emitted, growth_kib = _emit_for(telemetry, seconds)
        print("emitted", flush=True)
        sys.stdin.readline()
        telemetry.flush(120)
        books = telemetry.tally().logs.to_json()
    print(json.dumps([emitted, growth_kib, books]), flush=True)


def _emit_for(telemetry: Telemetry, seconds: float) -> tuple[int, int]:
    """Return how many events were emitted, and by how many KiB memory grew."""
    number, began = 0, time.monotonic()
    early_kib = 0
    while time.monotonic() - began < seconds:
        for _ in range(BURST):
            telemetry.emit(schema_id=SCHEMA_ID, data=event(number, big=False))
            number += 1
        time.sleep(max(0.0, began + number / PER_S - time.monotonic()))
        if not early_kib and time.monotonic() - began > seconds / 3:
            early_kib = memory_kib()
    return number, memory_kib() - early_kib


def soak(seconds: float, seed: int) -> list[str]:
    """Soak; return what was wrong."""
    collector = Collector(seed)
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, __file__, "--produce", name, collector.url]
        log = Path(name) / "log"
        with (
            log.open("w") as stderr,
            subprocess.Popen(  # noqa: S603 - this script
                [*command, "--seconds", str(seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            ) as producer,
        ):
            collector.start()
            next(iter(producer.stdout or ()))
            collector.settle_down()
            answer, _ = producer.communicate("flush\n")
        said = log.read_text()
    collector.close()
    emitted, growth_kib, books = json.loads(answer)
    print(f"seed {seed}: {emitted} events, {len(collector.seen)} faults")
    print(f"{books}; {len(collector.taken)} at the collector")
    print(f"memory grew by {growth_kib} KiB in the last two thirds")
    print(said, end="")
    leaks = [f"the log holds {each!r}" for each in (CANARY, TOKEN) if each in said]
    return leaks + _wrong(books, len(collector.taken), emitted, growth_kib)


def _wrong(
    books: Mapping[str, Any], taken: int, emitted: int, growth_kib: int
) -> list[str]:
    dropped = sum(books["dropped"].values())
    wrong = []
    if not books["accepted"] == emitted == books["sent"] + dropped:
        wrong.append("the books do not balance")
    if taken + dropped < emitted:
        wrong.append(f"{emitted - taken - dropped} were lost in silence")
    if growth_kib > MAX_GROWTH_KIB:
        wrong.append(f"memory grew by {growth_kib} KiB")
    return wrong


def main() -> int:
    """Soak as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--produce", nargs=2, metavar=("FOLDER", "URL"))
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    asked = parser.parse_args()
    if asked.produce:
        folder, url = asked.produce
        produce(Path(folder), url, asked.seconds)
        return 0
    wrong = soak(asked.seconds, asked.seed)
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
