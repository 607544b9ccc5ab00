"""jupyter_server's own tests of its event bus, with us loaded and without."""

import os
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

HERE = Path(__file__).parent
SUITE = "tests/services/events"


@pytest.fixture(scope="module")
def checkout():
    """The folder with the tests of the installed jupyter_server."""
    done = subprocess.run(
        [HERE / "fetch.sh", version("jupyter_server"), sys.executable],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return Path(done.stdout.strip())
    missing = f"jupyter_server's own tests cannot be downloaded: {done.stderr[-300:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    return pytest.skip(missing)


def outcomes(checkout, report, *options):
    """Run the suite; return the outcome of each of its tests."""
    command = [sys.executable, "-m", "pytest", SUITE, f"--junitxml={report}", *options]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert report.exists(), done.stdout + done.stderr
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - just written
    return {(case.get("classname"), case.get("name")): outcome(case) for case in cases}


def outcome(case):
    """Return ``passed``, or what pytest says instead and why."""
    said = [child for child in case if child.tag in {"failure", "error", "skipped"}]
    return f"{said[0].tag}: {said[0].get('message')}" if said else "passed"


def test_the_suite_passes_with_us_as_without_us(checkout, tmp_path):
    without = outcomes(checkout, tmp_path / "without.xml")
    with_us = outcomes(checkout, tmp_path / "with.xml", "-p", "otel_loaded")

    assert with_us == without
    assert Counter(without.values()) == {"passed": len(without)}
    assert len(without) > 10
