"""Short forms of `make faults` and `make soak`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = Path(__file__).parents[2] / "faults"


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, FAULTS / script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Return the rows of the short table, by fault and road."""
    figures = tmp_path_factory.mktemp("faults") / "rows.json"
    done = run("table.py", "quick", "--json", str(figures))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(figures.read_text())
    return {(row["fault"], row["road"]): row for row in rows}


@pytest.mark.parametrize("road", ["memory", "batched", "sync"])
def test_a_collector_that_recovers_gets_every_record(rows, road):
    row = rows["503", road]
    assert row["arrived"] + sum(row["dropped"].values()) == row["accepted"] == 500
    if road != "memory":
        assert row["dropped"] == {}


@pytest.mark.parametrize("road", ["batched", "sync"])
def test_what_a_dead_collector_did_not_get_arrives_after_the_next_start(rows, road):
    row = rows["refused, back at the next start", road]
    assert (row["accepted"], row["sent"], row["waiting"], row["arrived"]) == (
        500,
        0,
        500,
        500,
    )


def test_a_killed_process_loses_nothing_acknowledged_in_sync(rows):
    row = rows["kill -9 of the process", "sync"]
    assert row["lost"] == 0 < row["accepted"]


def test_the_stock_road_loses_the_same_in_silence(rows):
    row = rows["refused, back at the next start", "stock"]
    assert (row["accepted"], row["arrived"]) == (500, 0)


def test_a_netrc_is_for_nobody_but_the_stock_road(rows):
    gave_away = [
        road
        for (fault, road), row in rows.items()
        if fault == "a .netrc for the host" and row["gave_away"]
    ]
    assert gave_away == ["stock"]


def test_a_soak_with_faults_balances_its_books_in_flat_memory():
    done = run("soak.py", "--seconds", "10", "--seed", "7")
    assert done.returncode == 0, done.stdout + done.stderr
