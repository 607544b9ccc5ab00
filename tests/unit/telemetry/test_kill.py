import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import HttpReceiver
from tests.unit.telemetry.conftest import SCHEMA

AT_RISK_NS = 200_000_000
"""What `batched` may lose, as the documentation promises."""

CRASH = """
import os, signal, sys, time
from traitlets.config import Config
from jupyter_otel.telemetry import Telemetry

telemetry = Telemetry(Config({config!r}))
telemetry.register_schema({schema!r})
ends_ns = time.time_ns() + 700_000_000
while (now_ns := time.time_ns()) < ends_ns:
    assert telemetry.emit(schema_id={run!r}, data={{"tool": str(now_ns)}})
    print(now_ns, flush=True)
    time.sleep(0.002)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def silent_endpoint():
    """Return a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("receiver_is", ["down", "silent"])
def test_a_process_killed_while_events_come_loses_none_that_are_older_than_200_ms(
    config, open_telemetry, silent_endpoint, receiver_is
):
    config.OtelExport.endpoint = (
        silent_endpoint if receiver_is == "silent" else "http://127.0.0.1:9"
    )
    plain = {name: dict(section) for name, section in config.items()}
    script = textwrap.dedent(CRASH).format(
        config=plain, schema=SCHEMA, run=SCHEMA["$id"]
    )
    crashed = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, timeout=30
    )
    emitted = [int(line) for line in crashed.stdout.split()]
    with HttpReceiver() as receiver:
        config.OtelExport.endpoint = receiver.url
        assert open_telemetry(config).flush(10)
        found = {
            int(pair.value.string_value)
            for record in receiver.inbox.records(Signal.LOGS)
            for pair in record.attributes
            if pair.key == "jupyter.event.tool"
        }

    assert crashed.returncode == -signal.SIGKILL
    due = {made_ns for made_ns in emitted if made_ns < emitted[-1] - AT_RISK_NS}
    assert len(due) > 0
    assert due - found == set()
