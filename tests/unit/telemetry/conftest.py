import pytest
from traitlets.config import Config

from jupyter_otel.telemetry import Telemetry
from jupyter_otel.testing.http_receiver import HttpReceiver

SCHEMA = {
    "$id": "https://example.org/tools/run/v1",
    "version": "1",
    "type": "object",
    "properties": {"tool": {"type": "string"}, "n": {"type": "integer"}},
    "required": ["tool"],
}
OVERLAY = """
schemas:
  "https://example.org/tools/run/v1":
    level: usage
    properties: {tool: operational, n: operational}
"""


@pytest.fixture
def config(tmp_path):
    """Level usage, every file in the test's own folder, no receiver yet."""
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(OVERLAY)
    made = Config()
    made.OtelPolicy.level = "usage"
    made.OtelPolicy.files = [str(overlay)]
    made.OtelRedaction.hash_key_file = str(tmp_path / "hash_key")
    made.OtelSpool.directory = str(tmp_path / "spool")
    made.OtelExport.directory = str(tmp_path / "export")
    return made


@pytest.fixture
def receiver(config):
    """A collector that takes everything; the configuration points at it."""
    with HttpReceiver() as started:
        config.OtelExport.endpoint = started.url
        yield started


@pytest.fixture
def open_telemetry():
    """Open telemetry that knows the schema; closed when the test is over."""
    opened = []

    def open_one(config, **arguments):
        telemetry = Telemetry(config, **arguments)
        telemetry.register_schema(SCHEMA)
        opened.append(telemetry)
        return telemetry

    yield open_one
    for telemetry in opened:
        telemetry.close()
