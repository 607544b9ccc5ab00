"""The end of a process: no longer than it must be, and nothing lost by it."""

import json
import subprocess
import sys

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from tests.unit.telemetry.conftest import SCHEMA

RUN = SCHEMA["$id"]
SCRIPT = """
import sys, json
from traitlets.config import Config
from jupyter_otel import Telemetry
telemetry = Telemetry(Config(json.loads(sys.argv[1])))
telemetry.register_schema(json.loads(sys.argv[2]))
"""


def run(config, code):
    """Run code in a process that has a telemetry; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + code, json.dumps(config), json.dumps(SCHEMA)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_where_the_disk_has_it_one_failed_try_is_enough(config, open_telemetry):
    with HttpReceiver(then=Answer(503)) as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        telemetry.emit(schema_id=RUN, data={"tool": "x"})

        telemetry.close(3600)

    with HttpReceiver() as receiver:
        config.OtelExport.endpoint = receiver.url
        assert open_telemetry(config).flush()
        assert len(receiver.inbox.records(Signal.LOGS)) == 1


def test_where_only_memory_has_it_the_time_is_used(config, open_telemetry):
    config.OtelSpool.durability = "memory"
    with HttpReceiver([Answer(503, {"Retry-After": "0"})]) as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        telemetry.emit(schema_id=RUN, data={"tool": "x"})

        telemetry.close(3600)

    assert telemetry.tally().logs.sent == 1


def test_what_costs_time_to_import_waits_for_the_first_record(config):
    printed = run(
        config,
        "slow = ['google.protobuf', 'opentelemetry.sdk', 'requests', 'jsonschema']\n"
        "print(telemetry.enabled, [name for name in slow if name in sys.modules])",
    )

    assert printed == "True []"


def test_an_event_of_an_exit_handler_leaves_with_its_resource(config, monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=physics")
    with HttpReceiver() as receiver:
        config.OtelExport.endpoint = receiver.url
        run(
            config,
            "import atexit\n"
            "atexit.register(\n"
            f"    lambda: telemetry.emit(schema_id={RUN!r}, data={{'tool': 'x'}})\n"
            ")",
        )

        (request,) = receiver.inbox.requests()
    resource = request.message.resource_logs[0].resource
    attributes = {a.key: a.value.string_value for a in resource.attributes}
    assert attributes["team"] == "physics"
    assert attributes["service.name"] == "jupyter-otel"
    assert attributes["telemetry.sdk.name"] == "opentelemetry"
