"""One contender on one mix, in a process of its own; prints one JSON object.

``burst``: events handed in as fast as they can be, then a flush: CPU of the whole
process, all threads, per event, until the collector has acknowledged them all.
``paced``: 1 000 events a second: what each call costs the caller, and the same CPU.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from contenders import CONTENDERS, Contender
from mixes import MIXES
from sink import taken

WARM_UP = 200
RATE_PER_S = 1000


def _cpu_us(since_s: float, events: int) -> float:
    return (time.process_time() - since_s) * 1e6 / events


def burst(contender: Contender, events: list[dict[str, Any]]) -> dict[str, float]:
    """Return CPU per event and events per second, from first call to last answer."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for event in events:
        contender.emit(event)
    contender.flush()
    elapsed_s = time.perf_counter() - wall_s
    return {
        "cpu_us": _cpu_us(cpu_s, len(events)),
        "per_s": len(events) / elapsed_s,
    }


def paced(contender: Contender, events: list[dict[str, Any]]) -> dict[str, float]:
    """Return what a call costs its caller, and CPU per event, at a steady rate."""
    costs_ns = []
    cpu_s, due_s = time.process_time(), time.perf_counter()
    for event in events:
        due_s += 1 / RATE_PER_S
        time.sleep(max(0.0, due_s - time.perf_counter()))
        began_ns = time.perf_counter_ns()
        contender.emit(event)
        costs_ns.append(time.perf_counter_ns() - began_ns)
    contender.flush()
    return {
        "cpu_us": _cpu_us(cpu_s, len(events)),
        "mean_us": sum(costs_ns) / len(costs_ns) / 1e3,
        "p99_us": sorted(costs_ns)[len(costs_ns) * 99 // 100] / 1e3,
    }


def measure(name: str, mix_name: str, endpoint: str, counts: tuple[int, int]) -> None:
    """Run both phases and print what they cost and how many records were lost."""
    mix, (burst_events, paced_events) = MIXES[mix_name], counts
    with tempfile.TemporaryDirectory() as folder:
        contender = CONTENDERS[name](mix, endpoint, Path(folder))
        for event in mix.events(WARM_UP):
            contender.emit(event)
        contender.flush()
        taken(endpoint)
        result: dict[str, Any] = {
            "burst": burst(contender, list(mix.events(burst_events)))
        }
        if paced_events:
            result["paced"] = paced(contender, list(mix.events(paced_events)))
        result["lost"] = burst_events + paced_events - taken(endpoint)
        contender.close()
    print(json.dumps(result))


if __name__ == "__main__":
    measure(*sys.argv[1:4], (int(sys.argv[4]), int(sys.argv[5])))
