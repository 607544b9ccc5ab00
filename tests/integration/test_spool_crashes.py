"""A short form of `make crashes`: some dozen processes, killed at random moments."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).parents[2] / "faults" / "crashes.py"
KILLS = 15
TOO_LATE = KILLS // 3
"""A busy machine may leave some processes without their turn: the long form, which is
run alone, holds each to 200 ms."""


@pytest.fixture(scope="module")
def figures():
    """Return what came of the rounds, by durability."""
    done = subprocess.run(
        [sys.executable, HARNESS, "--kills", str(KILLS), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.stderr == ""
    return {each["durability"]: each for each in json.loads(done.stdout)}


def test_sync_loses_nothing_acknowledged_when_its_process_is_killed(figures):
    sync = figures["sync"]
    assert sync["acknowledged"] > 0
    assert (sync["kills"], sync["lost"], sync["set_aside"]) == (KILLS, 0, 0)


def test_batched_loses_only_what_is_newest_when_its_process_is_killed(figures):
    batched = figures["batched"]
    assert batched["kept"] > 0
    assert (batched["kills"], batched["set_aside"]) == (KILLS, 0)
    assert batched["rounds_too_late"] < TOO_LATE
