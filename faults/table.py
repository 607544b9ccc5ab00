"""What becomes of records when a collector misbehaves: one table, made by running it.

::

    python faults/table.py [quick] [--json FILE]          `make faults`

Each row is a real process (``run.py``) that emits `EVENTS` events in a second to a
collector with one fault, and ends. Of ours a second process then starts on the same
spool with a collector that is well: what waited on disk must arrive now. The books of
each row must balance, no record may be at the collector that was not counted as sent
or left waiting, and no log may hold data of an event or a header's value; else the exit
status is 1. The stock road keeps no books: what did not arrive is lost in silence.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from run import CANARY, TOKEN

from jupyter_otel.tally import Signal
from jupyter_otel.testing.faults import FAULTS
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from jupyter_otel.testing.received import records_of

RUN = Path(__file__).with_name("run.py")
EVENTS = 500
AT_ONCE = 3
LIMIT_S = 90
ROADS = ("memory", "batched", "sync", "stock")
NONE, REFUSED, RETURNS, KILLED, FULL = (
    "none",
    "refused, back at the next start",
    "dies and comes back",
    "kill -9 of the process",
    "refused, spool full",
)
QUICK = (NONE, REFUSED, KILLED, FULL, "503", "413", "partial_success, 3 rejected")
UNACKNOWLEDGED = (
    "black hole",
    "1 byte/s",
    "1 byte/s, headers too",
    "takes it, then dies",
)
DIES_AFTER_S, IS_AWAY_S = 0.3, 0.5
KILL_AT = 6
"""Of the ten lines that tell how far a process has come."""


@dataclass
class Row:
    """What one run came to."""

    fault: str
    road: str
    accepted: int
    sent: int | None = None
    waiting: int | None = None
    """Left on disk for the next start."""
    arrived: int = 0
    """Different records at the collector in the end, the next start's included."""
    duplicates: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    exit_s: float | None = None
    faults: list[str] = field(default_factory=list)
    """What is wrong with the row."""


@dataclass
class Ended:
    """A process that has ended."""

    accepted: int
    books: dict[str, Any] | None
    """None: it was killed."""
    exit_s: float | None
    log: str


def run_process(road: str, url: str, folder: Path, events: int, *, kill: bool) -> Ended:
    """Run one producer; where ``kill``, kill it in the middle."""
    log = folder / f"{time.monotonic_ns()}.log"
    command = [sys.executable, str(RUN), road, url, str(folder), str(events)]
    accepted, closing_s, books = 0, None, None
    with (
        log.open("w") as stderr,
        subprocess.Popen(  # noqa: S603 - our own script
            command, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        for number, line in enumerate(process.stdout or (), start=1):
            if line.startswith("{"):
                books = json.loads(line)
            elif line == "closing\n":
                closing_s = time.monotonic()
            else:
                accepted = int(line)
                if kill and number == KILL_AT:
                    process.kill()
                    break
        process.wait(LIMIT_S)
    exit_s = None if closing_s is None else time.monotonic() - closing_s
    return Ended(accepted, books, exit_s, log.read_text())


class Collector:
    """What reached the receivers of one row, by the number of the event."""

    def __init__(self, fault: str) -> None:
        self._takes_all = fault in UNACKNOWLEDGED
        self._receivers: list[HttpReceiver] = []
        self.port = 0

    def open(self, stack: ExitStack, answers: Sequence[Answer] = ()) -> HttpReceiver:
        """Listen, on the port of the first time."""
        receiver = stack.enter_context(HttpReceiver(answers, port=self.port))
        self._receivers.append(receiver)
        self.port = receiver.port
        return receiver

    def numbers(self) -> Counter[int]:
        """Return how often each event has come to stay."""
        taken = {"200", "hang up"} if self._takes_all else {"200"}
        return Counter(
            number
            for receiver in self._receivers
            for received in receiver.inbox.requests()
            if received.signal is Signal.LOGS and received.status in taken
            for record in records_of(Signal.LOGS, received.message)
            for number in _numbers(record)
        )


def _numbers(record: Any) -> list[int]:
    """Return the event's number; none of a stranger's that met a port used before."""
    values = [a.value for a in record.attributes if a.key == "jupyter.event.n"]
    return [int(value.int_value) for value in values]


def measure(fault: str, road: str) -> Row:
    """Return the row of one fault and one road."""
    collector = Collector(fault)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        first = _run_with_fault(fault, road, folder, collector)
        row = Row(fault, road, first.accepted, exit_s=first.exit_s)
        logs = [first.log]
        if road != "stock":
            url = collector.open(stack).url
            kind = "batched" if road == "full" else road
            second = run_process(kind, url, folder, 0, kill=False)
            logs.append(second.log)
            _book(row, first.books, second.books or {})
            row.faults += [
                f"books that do not balance: {books}"
                for books in (first.books, second.books)
                if books is not None and not _balances(books)
            ]
        numbers = collector.numbers()
    row.arrived = len(numbers)
    row.duplicates = sum(numbers.values()) - len(numbers)
    if road != "stock":
        row.faults += _check(row, logs)
    return row


def _run_with_fault(fault: str, road: str, folder: Path, collector: Collector) -> Ended:
    kill = fault == KILLED
    with ExitStack() as stack:
        receiver = collector.open(stack, FAULTS.get(fault, ()))
        if fault in (REFUSED, FULL):
            stack.close()
        if fault != RETURNS:
            return run_process(road, receiver.url, folder, EVENTS, kill=kill)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(
                run_process, road, receiver.url, folder, EVENTS, kill=False
            )
            time.sleep(DIES_AFTER_S + 0.5)  # a process needs half a second to begin
            stack.close()
            time.sleep(IS_AWAY_S)
            collector.open(stack)
            return running.result()


def _book(row: Row, first: dict[str, Any] | None, second: dict[str, Any]) -> None:
    """Take over what the two processes' books say."""
    dropped = Counter(second.get("dropped", {}))
    if first is not None:
        row.sent, row.waiting = first["sent"], first["pending"]
        dropped.update(first["dropped"])
    row.dropped = dict(dropped)


def _balances(books: dict[str, Any]) -> bool:
    ends = books["sent"] + books["pending"] + books["aggregated"]
    return bool(books["accepted"] == ends + sum(books["dropped"].values()))


def _check(row: Row, logs: Sequence[str]) -> list[str]:
    """Return what is wrong with a row of ours."""
    wrong = [
        f"the log holds {secret!r}"
        for secret in (CANARY, TOKEN)
        if any(secret in log for log in logs)
    ]
    dropped = sum(row.dropped.values())
    # A receiver that rejects a part has still been sent it.
    taken = row.arrived - row.dropped.get("rejected", 0) * row.fault.startswith("part")
    at_risk = _at_risk(row)
    # What a receiver took without a word may be counted as dropped too.
    in_doubt = row.arrived if row.fault in UNACKNOWLEDGED else at_risk
    if not row.accepted - at_risk <= taken + dropped <= row.accepted + in_doubt:
        wrong.append(f"{row.accepted} accepted, {taken} taken, {dropped} dropped")
    if row.sent is not None and row.waiting is not None:
        first = row.sent + row.waiting
        if first > row.accepted or row.sent > row.arrived:
            wrong.append(f"{row.sent} sent, {row.waiting} waiting")
    return wrong


def _at_risk(row: Row) -> int:
    """Return how many events may have no end: those of a process that was killed."""
    if row.fault != KILLED or row.road == "sync":
        return EVENTS // 10 if row.fault == KILLED else 0
    # `batched`: 200 ms, a tenth of the events each 100 ms; `memory`: all.
    return EVENTS if row.road == "memory" else 3 * EVENTS // 10


def rows_wanted(*, quick: bool) -> list[tuple[str, str]]:
    """Return each row's fault and road."""
    faults = QUICK if quick else (NONE, REFUSED, RETURNS, KILLED, *FAULTS)
    wanted = [(f, road) for f in faults if f != FULL for road in ROADS]
    return [*wanted, (FULL, "full"), (FULL, "stock")]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    head = (
        "| fault | road | accepted | sent | at the collector | dropped | twice | exit |"
    )
    lines = [head, "|" + "---|" * 8]
    for row in rows:
        dropped = ", ".join(f"{n} {why}" for why, n in row.dropped.items())
        lost = row.accepted - row.arrived
        if lost and row.road == "stock":
            dropped = f"**{lost} in silence**"
        elif lost and row.fault == KILLED:
            dropped = f"{lost} with the process"
        cells = [
            row.fault,
            row.road,
            row.accepted,
            "?" if row.sent is None else row.sent,
            row.arrived,
            dropped or "0",
            row.duplicates,
            "killed" if row.exit_s is None else f"{row.exit_s:.1f} s",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return 1 where something is wrong."""
    wanted = rows_wanted(quick="quick" in arguments)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = list(pool.map(lambda pair: measure(*pair), wanted))
    print(table(rows))
    if "--json" in arguments:
        path = Path(arguments[arguments.index("--json") + 1])
        path.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    wrong = [(row, fault) for row in rows for fault in row.faults]
    for row, fault in wrong:
        print(f"WRONG: {row.fault}, {row.road}: {fault}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
