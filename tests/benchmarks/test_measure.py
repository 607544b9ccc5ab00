"""The benchmark measures roads that work: every event arrives, whichever the road."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def endpoint():
    """The benchmark's own sink."""
    command = [sys.executable, BENCHMARKS / "sink.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as sink:
        try:
            yield f"http://127.0.0.1:{int(sink.stdout.readline())}"
        finally:
            sink.terminate()


@pytest.mark.parametrize(
    ("contender", "mix"),
    [*(("ours", mix) for mix in ("m1", "m2", "m3", "m4")), ("je", "m3"), ("sdk", "m4")],
)
def test_a_contender_delivers_every_event_it_is_given(endpoint, contender, mix):
    done = subprocess.run(
        [
            sys.executable,
            BENCHMARKS / "measure.py",
            contender,
            mix,
            endpoint,
            "40",
            "5",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["lost"] == 0
    assert set(result["burst"]) == {"cpu_us", "per_s"}
    assert set(result["paced"]) == {"cpu_us", "mean_us", "p99_us"}
