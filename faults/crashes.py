"""Kills real processes with SIGKILL at random moments and counts what was lost.

::

    python faults/crashes.py --kills 300        the long form: `make crashes`

Each round forks a process that emits numbered events through a real `Telemetry` and
says of each one, over a pipe, when `emit` returned True. The parent kills it, adopts
the spool that it left, and looks for every number in what waits and in what was sent.
Half of the rounds send to a directory, half to a collector that refuses. Exit status 1
where a promise of ``docs/spool.md`` was broken.
"""

import argparse
import json
import logging
import os
import random
import select
import signal
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from traitlets.config import Config

from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.testing.received import parse, records_of

SCHEMA_ID = "urn:crashes:number"
SCHEMA = {"$id": "urn:crashes:number", "version": "1", "type": "object",
          "properties": {"n": {"type": "integer"}}}  # fmt: skip
OVERLAY = """
schemas:
  "urn:crashes:number":
    level: operational
    group: operations
    properties: {n: operational}
"""
AT_RISK_S = 0.2
"""What `batched` may lose: the promise of docs/spool.md."""
LONGEST_LIFE_S = 0.8
SYNC_THREADS = 4
_ACK = struct.Struct("<qq")
_KEY = "jupyter.event.n"
_REFUSED = "http://127.0.0.1:9"


@dataclass
class Figures:
    """What came of the rounds of one durability."""

    durability: str
    kills: int = 0
    acknowledged: int = 0
    kept: int = 0
    """Acknowledged records found in a spool or at the receiver."""
    lost: int = 0
    rounds_with_loss: int = 0
    rounds_too_late: int = 0
    """Rounds that lost what was older than `batched` may lose."""
    oldest_lost_ms: float = 0.0
    """How long before the kill the oldest lost one was acknowledged."""
    twice: int = 0
    """Records both sent and still waiting: the kill came before the deletion."""
    set_aside: int = 0
    """Spool files that could not be read afterwards."""

    @property
    def is_kept(self) -> bool:
        """Whether the promise held in every round."""
        if self.set_aside:
            return False
        if self.durability == "sync":
            return self.lost == 0
        return self.rounds_too_late == 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rounds, print the figures; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=300, help="of each durability")
    parser.add_argument("--durability", choices=["sync", "batched"], action="append")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    chance = random.Random(arguments.seed)  # noqa: S311 - moments, not secrets
    durabilities = arguments.durability or ["sync", "batched"]
    results = [run(name, arguments.kills, chance) for name in durabilities]
    if arguments.json:
        print(json.dumps([asdict(figures) for figures in results]))
    else:
        print("\n".join(_table(results)))
    return int(not all(figures.is_kept for figures in results))


def run(durability: str, kills: int, chance: random.Random) -> Figures:
    """Kill so many processes; return what came of it."""
    figures = Figures(durability)
    for number in range(kills):
        with tempfile.TemporaryDirectory(prefix="jupyter-otel-crash-") as name:
            place = Path(name)
            is_refused = number % 2 == 1
            life_s = chance.uniform(0.0, LONGEST_LIFE_S)
            _round(figures, place, is_refused=is_refused, life_s=life_s)
    return figures


def _round(figures: Figures, place: Path, *, is_refused: bool, life_s: float) -> None:
    (place / "overlay.yaml").write_text(OVERLAY)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _emit_for_ever(place, figures.durability, writer, is_refused=is_refused)
    os.close(writer)
    acknowledged = _read_until_killed(reader, child, life_s)
    killed_ns = time.monotonic_ns()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    acknowledged |= _read_rest(reader)
    os.close(reader)
    _count(figures, place, acknowledged, killed_ns)


def _emit_for_ever(
    place: Path, durability: str, writer: int, *, is_refused: bool
) -> None:
    """Emit in the child until it is killed; never returns."""
    logging.disable()
    try:
        telemetry = Telemetry(config(place, durability, is_refused=is_refused))
        telemetry.register_schema(SCHEMA)
        threads = SYNC_THREADS if durability == "sync" else 1
        for first in range(1, threads):
            arguments = (telemetry, first, threads, writer)
            threading.Thread(target=_emit, args=arguments, daemon=True).start()
        _emit(telemetry, 0, threads, writer)
    finally:
        os._exit(3)  # only the kill ends it


def _emit(telemetry: Telemetry, first: int, step: int, writer: int) -> None:
    number = first
    while True:
        if telemetry.emit(schema_id=SCHEMA_ID, data={"n": number}):
            os.write(writer, _ACK.pack(number, time.monotonic_ns()))
        number += step
        time.sleep(0.0005)


def config(place: Path, durability: str, *, is_refused: bool) -> Config:
    """Return the settings of a process that spools below a place."""
    traits = Config()
    traits.OtelPolicy.level = "operational"
    traits.OtelPolicy.files = [str(place / "overlay.yaml")]
    traits.OtelRedaction.hash_key_file = str(place / "key")
    traits.OtelTraces.enabled = False
    traits.OtelSpool.directory = str(place / "spool")
    traits.OtelSpool.durability = durability
    traits.OtelExport.directory = str(place / "export")
    if is_refused:
        traits.OtelExport.endpoint = _REFUSED
    return traits


def _read_until_killed(reader: int, child: int, life_s: float) -> dict[int, int]:
    """Read what the child acknowledges, from its first event on, for its life."""
    os.set_blocking(reader, False)
    found: dict[int, int] = {}
    until_s = time.monotonic() + 30.0
    while (left_s := until_s - time.monotonic()) > 0:
        if select.select([reader], [], [], left_s)[0]:
            is_first = not found
            more = _read_rest(reader)
            if not more:
                break  # it has ended by itself
            found |= more
            if is_first:
                until_s = time.monotonic() + life_s
    if not found:
        os.kill(child, signal.SIGKILL)
        raise RuntimeError("The process that was to emit did not.")
    return found


def _read_rest(reader: int) -> dict[int, int]:
    """Return when each number was acknowledged, of what is in the pipe."""
    data = b""
    while True:
        try:
            more = os.read(reader, 2**16)
        except BlockingIOError:
            break
        if not more:
            break
        data += more
    # A write of 16 bytes to a pipe is whole or not there.
    return dict(_ACK.iter_unpack(data))


def _count(
    figures: Figures, place: Path, acknowledged: dict[int, int], killed_ns: int
) -> None:
    waiting = Counter(_waiting(place / "spool"))
    sent = Counter(_sent(place / "export" / "logs.jsonl"))
    lost = [ack_ns for n, ack_ns in acknowledged.items() if n not in waiting | sent]
    ages_ms = [(killed_ns - ack_ns) / 1e6 for ack_ns in lost]
    figures.kills += 1
    figures.acknowledged += len(acknowledged)
    figures.kept += len(acknowledged) - len(lost)
    figures.lost += len(lost)
    figures.rounds_with_loss += bool(lost)
    figures.rounds_too_late += max(ages_ms, default=0.0) > AT_RISK_S * 1000
    figures.oldest_lost_ms = max([figures.oldest_lost_ms, *ages_ms])
    figures.twice += sum((waiting & sent).values())
    figures.set_aside += len(list((place / "spool").glob("*.corrupt")))


def _waiting(directory: Path) -> Iterator[int]:
    """Adopt what the killed process left; yield the numbers in it."""
    spool = Spool(
        None, max_bytes=2**28, max_age_s=3600, when_full="refuse", synchronous=False
    )
    adopt_orphans(spool, directory)
    for row in spool.lease(Signal.LOGS, max_rows=2**20, max_bytes=2**30):
        for record in records_of(Signal.LOGS, parse(Signal.LOGS, row.body)):
            yield from (a.value.int_value for a in record.attributes if a.key == _KEY)
    spool.close()


def _sent(file: Path) -> Iterator[int]:
    """Yield the numbers in what was sent; a torn last line was not acknowledged."""
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            request = json.loads(line)
        except ValueError:
            continue
        for record in _records(request):
            attributes = record["attributes"]
            yield from (
                int(a["value"]["intValue"]) for a in attributes if a["key"] == _KEY
            )


def _records(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in request["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            yield from scope["logRecords"]


def _table(results: Sequence[Figures]) -> Iterator[str]:
    yield (
        "durability  kills  acknowledged    lost  rounds with loss  oldest lost"
        "  sent twice"
    )
    for it in results:
        yield (
            f"{it.durability:<10}  {it.kills:>5}  {it.acknowledged:>12}  {it.lost:>6}"
            f"  {it.rounds_with_loss:>16}  {it.oldest_lost_ms:>8.0f} ms"
            f"  {it.twice:>10}"
        )


if __name__ == "__main__":
    sys.exit(main())
