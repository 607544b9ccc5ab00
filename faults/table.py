"""What becomes of records when a collector misbehaves: one table, made by running it.

::

    python faults/table.py [quick] [--json FILE]          `make faults`

Each row is a real process (``run.py``) that emits `EVENTS` events in a second on its
way to a collector with one fault (``scenes.py``), and ends. Where it left something on
disk a second process starts on the same spool with a collector that is well: it must
arrive now. The books of each row must balance, no record may be at the collector that
was not counted as sent or left waiting, and no log may hold data of an event or a
header's value; else the exit status is 1. Of a process that is killed it is known
exactly which events it had acknowledged, and when: `sync` may lose none of them,
`batched` only those of the last 200 ms. The stock road keeps no books: what did not
arrive is lost in silence.
"""

import json
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
from urllib.parse import urlsplit

from producers import Ended, run_process
from run import CANARY, TOKEN
from scenes import (
    FULL,
    KILLED,
    NETRC_PASSWORD,
    NONE,
    REFUSED,
    RETURNS,
    SCENES,
    Collector,
    Way,
)

EVENTS = 500
KILL_AFTER = 300
AT_ONCE = 5
ROADS = ("memory", "batched", "sync", "stock")
QUICK = (
    NONE,
    REFUSED,
    KILLED,
    "503",
    "413",
    "partial_success, 3 rejected",
    "gRPC INVALID_ARGUMENT",
    "a .netrc for the host",
)
UNACKNOWLEDGED = (
    "black hole",
    "1 byte/s",
    "1 byte/s, headers too",
    "takes it, then dies",
)
DIES_AFTER_S, IS_AWAY_S = 0.3, 0.5
AT_RISK_S = 0.2
"""What `batched` may lose: the promise of docs/spool.md."""


@dataclass
class Row:
    """What one run came to."""

    fault: str
    road: str
    accepted: int = 0
    sent: int | None = None
    waiting: int | None = None
    """Left on disk for the next start."""
    arrived: int = 0
    """Different records at the collector in the end, the next start's included."""
    lost: int = 0
    """Accepted, but not there."""
    duplicates: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    exit_s: float | None = None
    gave_away: bool = False
    """Whether a password went to the collector that nobody had set for it."""
    faults: list[str] = field(default_factory=list)
    """What is wrong with the row."""


def measure(fault: str, road: str) -> Row:
    """Return the row of one fault and one road."""
    taken = {"200", "OK", "hang up"} if fault in UNACKNOWLEDGED else {"200", "OK"}
    collector = Collector(frozenset(taken))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = _run_with_fault(fault, road, folder, collector)
        ended = [first]
        if road != "stock" and _left_something(first):
            ended.append(_start_again(road, folder, collector))
    numbers = collector.numbers()
    row = Row(fault, road, len(first.acknowledged), exit_s=first.exit_s)
    row.arrived = len(numbers)
    row.lost = len(first.acknowledged.keys() - numbers.keys())
    row.duplicates = numbers.total() - len(numbers)
    row.gave_away = any("Basic" in each for each in collector.credentials())
    if road != "stock":
        _book(row, ended)
        row.faults = [
            *_check_books(row, ended),
            *_check_secrets(collector, [each.log for each in ended]),
            *(_check_killed(road, first, numbers) if fault == KILLED else ()),
        ]
    return row


def _run_with_fault(fault: str, road: str, folder: Path, collector: Collector) -> Ended:
    kill_after = KILL_AFTER if fault == KILLED else None
    with ExitStack() as stack:
        way = SCENES[fault](collector, stack, folder)
        if fault != RETURNS:
            return run_process(road, way, folder, EVENTS, kill_after=kill_after)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run_process, road, way, folder, EVENTS)
            time.sleep(DIES_AFTER_S + 0.5)  # a process needs half a second to begin
            stack.close()
            time.sleep(IS_AWAY_S)
            collector.open(stack, port=urlsplit(way.url).port or 0)
            return running.result()


def _start_again(road: str, folder: Path, collector: Collector) -> Ended:
    """Run a process that only sends what waits, with a collector that is well."""
    with ExitStack() as stack:
        way = Way(collector.open(stack).url)
        return run_process("batched" if road == "full" else road, way, folder, 0)


def _left_something(ended: Ended) -> bool:
    """Return whether a process that was killed, or ended, may have left records."""
    return ended.books is None or ended.books["pending"] > 0


def _book(row: Row, ended: Sequence[Ended]) -> None:
    """Take over what the processes' books say."""
    first = ended[0].books
    if first is not None:
        row.sent, row.waiting = first["sent"], first["pending"]
    dropped: Counter[str] = Counter()
    for each in ended:
        dropped.update((each.books or {}).get("dropped", {}))
    row.dropped = dict(dropped)


def _check_books(row: Row, ended: Sequence[Ended]) -> list[str]:
    """Return where a row of ours does not add up."""
    wrong = [
        f"books that do not balance: {each.books}"
        for each in ended
        if each.books is not None and not _balances(each.books)
    ]
    dropped = sum(row.dropped.values())
    if row.fault == KILLED:
        return [*wrong, *([f"{dropped} dropped"] if dropped else [])]
    # A receiver that rejects a part has still been sent it.
    taken = row.arrived - row.dropped.get("rejected", 0) * row.fault.startswith("part")
    # What a receiver took without a word may be counted as dropped too.
    in_doubt = row.arrived if row.fault in UNACKNOWLEDGED else 0
    if not row.accepted <= taken + dropped <= row.accepted + in_doubt:
        wrong.append(f"{row.accepted} accepted, {taken} taken, {dropped} dropped")
    if row.sent is not None and row.waiting is not None:
        first_ends = row.sent + row.waiting
        if first_ends > row.accepted or row.sent > row.arrived:
            wrong.append(f"{row.sent} sent, {row.waiting} waiting")
    return wrong


def _balances(books: dict[str, Any]) -> bool:
    ends = books["sent"] + books["pending"] + books["aggregated"]
    return bool(books["accepted"] == ends + sum(books["dropped"].values()))


def _check_secrets(collector: Collector, logs: Sequence[str]) -> list[str]:
    """Return what was given to whom it was not meant for."""
    wrong = [
        f"the log holds {secret!r}"
        for secret in (CANARY, TOKEN, NETRC_PASSWORD)
        if any(secret in log for log in logs)
    ]
    if not collector.credentials() <= {TOKEN}:
        wrong.append("other credentials were sent than those that were set")
    return wrong


def _check_killed(road: str, ended: Ended, numbers: Counter[int]) -> list[str]:
    """Return what a process that was killed lost against its promise."""
    lost = ended.acknowledged.keys() - numbers.keys()
    wrong = []
    if road == "sync" and lost:
        wrong.append(f"{len(lost)} acknowledged ones are lost")
    oldest_s = max(map(ended.age_s, lost), default=0.0)
    if road == "batched" and oldest_s > AT_RISK_S + ended.waited_s():
        wrong.append(f"one is lost that was acknowledged {oldest_s:.3f} s before")
    # One may have been taken, and the process killed before it could say so.
    if len(numbers.keys() - ended.acknowledged.keys()) > 1:
        wrong.append("more arrived than were acknowledged")
    return wrong


def rows_wanted(*, quick: bool) -> list[tuple[str, str]]:
    """Return each row's fault and road."""
    faults = QUICK if quick else [fault for fault in SCENES if fault != FULL]
    wanted = [(fault, road) for fault in faults for road in ROADS]
    return [*wanted, (FULL, "full"), (FULL, "stock")]


def measure_all(wanted: Sequence[tuple[str, str]]) -> list[Row]:
    """Return all rows in order; what is timed runs alone, the others side by side."""
    rows = {pair: measure(*pair) for pair in wanted if pair[0] == KILLED}
    others = [pair for pair in wanted if pair not in rows]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        measured = pool.map(lambda pair: measure(*pair), others)
        rows |= dict(zip(others, measured, strict=True))
    return [rows[pair] for pair in wanted]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    head = (
        "| fault | road | accepted | sent | at the collector | dropped | twice | exit |"
    )
    lines = [head, "|" + "---|" * 8]
    for row in rows:
        dropped = ", ".join(f"{n} {why}" for why, n in row.dropped.items())
        if row.lost and row.road == "stock":
            dropped = f"**{row.lost} in silence**"
        elif row.lost and row.fault == KILLED:
            dropped = f"{row.lost} with the process"
        cells = [
            row.fault,
            row.road,
            row.accepted,
            "?" if row.sent is None else row.sent,
            row.arrived,
            (dropped or "0") + (", **a password sent**" if row.gave_away else ""),
            row.duplicates,
            "killed" if row.exit_s is None else f"{row.exit_s:.1f} s",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return 1 where something is wrong."""
    wanted = rows_wanted(quick="quick" in arguments)
    rows = measure_all(wanted)
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
