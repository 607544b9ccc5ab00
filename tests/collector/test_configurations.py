import subprocess
from pathlib import Path

import pytest

CONFIGURATIONS = Path(__file__).parents[2] / "collector-config"
RUNNABLE = sorted(
    path for path in CONFIGURATIONS.glob("*.yaml") if path.name != "builder.yaml"
)


@pytest.mark.parametrize("path", RUNNABLE, ids=lambda path: path.name)
def test_every_shipped_configuration_is_valid(otelcol, path):
    done = subprocess.run(
        [otelcol, "validate", "--config", path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
