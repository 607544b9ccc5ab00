import pytest
from traitlets.config import Config

from jupyter_otel.telemetry import Telemetry


@pytest.fixture
def telemetry(tmp_path):
    """Start a telemetry that keeps to the test's folder; all end with the test."""
    started = []

    def start(**policy):
        config = Config()
        config.OtelPolicy.update({"level": "usage"} | policy)
        config.OtelRedaction.hash_key_file = str(tmp_path / "hash_key")
        config.OtelConsent.directory = str(tmp_path / "consent")
        config.OtelExport.directory = str(tmp_path / "export")
        config.OtelSpool.durability = "memory"
        started.append(Telemetry(config))
        return started[-1]

    yield start
    for telemetry in started:
        telemetry.close()
