"""jupyter_server's own tests of its events service, with the extension and without."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / ".build"
_OUTCOME = r"^(PASSED|FAILED|ERROR|SKIPPED) (.+)$"
LOADED = "::test_the_extension_is_loaded_and_collects"
CHECK = HERE / "upstream" / "check_status.py"


@pytest.fixture(scope="module")
def suite():
    """Return the sources of the installed jupyter_server; fetched once a version."""
    name = f"jupyter_server-{version('jupyter_server')}"
    if not (BUILD / name / "tests").exists():
        fetch(name, BUILD)
    return BUILD / name


def fetch(name, folder):
    folder.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-binary=jupyter_server", name.replace("-", "==")],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode and os.environ.get("CI") != "true":
        pytest.skip(f"the sources of {name} could not be fetched")
    assert done.returncode == 0, done.stderr
    with tarfile.open(folder / f"{name}.tar.gz") as sources:
        sources.extractall(folder, filter="data")


@pytest.fixture
def outcomes(suite, tmp_path, environment):
    """Return what runs the suite's events tests and says how each of them ended."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-rA", "--color=no", *arguments],
            cwd=suite,
            check=False,
            capture_output=True,
            text=True,
            env={**environment(tmp_path), "PYTHONPATH": str(HERE / "upstream")},
        )
        found = re.findall(
            r"^(PASSED|FAILED|ERROR|SKIPPED) (\S+)", done.stdout, re.MULTILINE
        )
        return {test: outcome for outcome, test in found}, done.stdout

    return run


def test_the_events_suite_passes_as_it_does_without_us(outcomes, tmp_path):
    # Away from here: beside the suite's conftest.py ours must not be loaded.
    check = shutil.copy(CHECK, tmp_path)
    without, _ = outcomes("tests/services/events")
    with_us, output = outcomes("-p", "otel_upstream", "tests/services/events", check)

    [checked] = [test for test in with_us if test.endswith(LOADED)]
    assert with_us.pop(checked) == "PASSED", output
    assert with_us == without, output
    assert set(without.values()) == {"PASSED"}
    assert len(without) >= 10
