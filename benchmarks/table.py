"""`make bench`: every contender on every mix, interleaved, medians and ratios.

Only the ratios mean something on another machine. The stock roads neither redact nor
persist what they send; ours does both within its figures.
"""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from contenders import CONTENDERS, QUEUE
from measure import RATE_PER_S
from mixes import MIXES
from sink import running_sink


class Size(NamedTuple):
    """How much is measured."""

    rounds: int
    burst_events: int
    paced_events: int


SIZES = {"full": Size(5, 10_000, 4_000), "quick": Size(1, 5_000, 500)}
Samples = dict[tuple[str, str], list[dict[str, Any]]]


class Row(NamedTuple):
    """One line of the table: what is measured and how it is written."""

    title: str
    phase: str
    key: str
    more_is_better: bool = False


ROWS = (
    Row("burst: CPU/event until acknowledged, us", "burst", "cpu_us"),
    Row("burst: events/s", "burst", "per_s", more_is_better=True),
    Row("paced: CPU/event, us", "paced", "cpu_us"),
    Row("paced: caller, mean, us", "paced", "mean_us"),
    Row("paced: caller, p99, us", "paced", "p99_us"),
)


def sample(name: str, mix: str, endpoint: str, size: Size) -> dict[str, Any]:
    """Run one contender on one mix in a new process."""
    script = Path(__file__).with_name("measure.py")
    counts = [str(size.burst_events), str(size.paced_events)]
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(script), name, mix, endpoint, *counts],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def collect(size: Size) -> Samples:
    """Run everything, contenders taking turns so that all see the same machine."""
    samples: Samples = defaultdict(list)
    with running_sink() as endpoint:
        for turn in range(size.rounds):
            for mix in MIXES:
                for name in CONTENDERS:
                    print(
                        f"round {turn + 1}: {mix} {name}", end="  \r", file=sys.stderr
                    )
                    samples[mix, name].append(sample(name, mix, endpoint, size))
    print(" " * 30, end="\r", file=sys.stderr)
    return samples


def lines(samples: Samples) -> Iterator[str]:
    """Return the table: for each row and mix the medians, and how ours compares."""
    heads = "".join(f"{name:>10}" for name in CONTENDERS)
    for row in ROWS:
        yield f"\n{row.title}\n  {'':4}{heads}   je/ours sdk/ours"
        for mix in MIXES:
            values = {name: _median(samples[mix, name], row) for name in CONTENDERS}
            figures = "".join(f"{value:>10.1f}" for value in values.values())
            ratios = "".join(
                f"{_ratio(values, name, row):>8.1f}x" for name in ("je", "sdk")
            )
            yield f"  {mix:4}{figures}  {ratios}"
    yield ""
    yield from _losses(samples)


def _median(results: list[dict[str, Any]], row: Row) -> float:
    return median(result[row.phase][row.key] for result in results)


def _ratio(values: dict[str, float], peer: str, row: Row) -> float:
    better, worse = values["ours"], values[peer]
    return better / worse if row.more_is_better else worse / better


def _losses(samples: Samples) -> Iterator[str]:
    lost = {
        f"{name} {mix}": total
        for (mix, name), results in samples.items()
        if (total := sum(result["lost"] for result in results))
    }
    yield f"Records lost: {lost or 'none'}"


def main(size_name: str) -> int:
    """Print the table; return 1 when ours lost a record."""
    size = SIZES[size_name]
    print(
        f"{size.rounds} interleaved round(s), burst of {size.burst_events} events, "
        f"then {size.paced_events} at {RATE_PER_S}/s; medians.\n"
        f"je and sdk: OTEL_BLRP_MAX_QUEUE_SIZE={QUEUE}, so that they lose nothing."
    )
    samples = collect(size)
    print("\n".join(lines(samples)))
    lost = (r["lost"] for mix in MIXES for r in samples[mix, "ours"])
    return int(any(lost))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
