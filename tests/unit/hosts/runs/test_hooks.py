"""When there are hooks for runs of notebooks, and what becomes of them at the end."""

import json
import os
import subprocess
import sys

import pytest
from traitlets.config import Config

from jupyter_otel import Telemetry, notebook_hooks
from tests.unit.sources.notebook_rig import Client

HOOKS = {
    "on_cell_complete",
    "on_cell_execute",
    "on_cell_executed",
    "on_notebook_complete",
    "on_notebook_start",
}
OK = {"status": "ok", "execution_count": 1}


@pytest.fixture
def open_telemetry(tmp_path):
    opened = []

    def open_(**policy):
        config = Config(
            OtelPolicy={"level": "usage", **policy},
            OtelSpool={"directory": str(tmp_path / "spool")},
            OtelExport={"directory": str(tmp_path / "export")},
            OtelRedaction={"hash_key_file": str(tmp_path / "key")},
        )
        opened.append(Telemetry(config))
        return opened[-1]

    yield open_
    for telemetry in opened:
        telemetry.close()


@pytest.fixture
def logs(tmp_path):
    """Return what reads the exported events: name, phase and status."""

    def read():
        lines = (tmp_path / "export" / "logs.jsonl").read_text().splitlines()
        records = [
            record
            for line in lines
            for resource in json.loads(line)["resourceLogs"]
            for scope in resource["scopeLogs"]
            for record in scope["logRecords"]
        ]
        return [
            (record["eventName"], *map(attributes(record).get, ("phase", "status")))
            for record in records
        ]

    return read


def attributes(record):
    return {
        item["key"].removeprefix("jupyter.event."): item["value"].get("stringValue")
        for item in record["attributes"]
    }


def test_where_runs_are_collected_there_are_hooks(open_telemetry):
    assert notebook_hooks(open_telemetry()).keys() == HOOKS


@pytest.mark.parametrize(
    "policy",
    [
        {"level": "none"},
        {"level": "operational"},
        {"exclude": ["https://events.jupyter.org/jupyter_otel/*"]},
    ],
)
def test_where_none_are_collected_there_are_no_hooks(open_telemetry, policy):
    assert notebook_hooks(open_telemetry(**policy)) == {}


def test_an_open_run_is_ended_when_its_telemetry_is_closed(open_telemetry, logs):
    telemetry = open_telemetry()
    client = Client(["1"], **notebook_hooks(telemetry)).start()
    client.send()

    telemetry.close()

    assert logs() == [
        ("jupyter_otel.notebook_run", "started", None),
        ("jupyter_otel.execution", "started", None),
        ("jupyter_otel.execution", "finished", "disconnected"),
        ("jupyter_otel.notebook_run", "finished", "disconnected"),
    ]


def test_hooks_of_a_closed_telemetry_say_nothing_and_disturb_nobody(
    open_telemetry, caplog
):
    telemetry = open_telemetry()
    hooks = notebook_hooks(telemetry)
    telemetry.close()

    client = Client(["1"], **hooks).start()
    client.run(OK)
    client.end()

    assert telemetry.tally().logs.accepted == 0
    assert caplog.records == []


def imported_by(code, tmp_path):
    """Return the modules of ours and OpenTelemetry's that code imports."""
    show = "import sys, json; json.dump(list(sys.modules), sys.stdout)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"],
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    names = json.loads(done.stdout)
    return {name for name in names if name.startswith(("jupyter_otel.", "opentel"))}


def test_papermill_alone_imports_nothing_that_collects(tmp_path):
    assert imported_by("import papermill", tmp_path) == {
        "jupyter_otel._version",
        "jupyter_otel.errors",
        "jupyter_otel.hosts",
        "jupyter_otel.hosts.runs",
        "jupyter_otel.hosts.runs.papermill_engine",
    }


def test_not_configured_nothing_that_collects_is_imported(tmp_path):
    code = "import jupyter_otel; assert jupyter_otel.notebook_hooks() == {}"
    assert imported_by(code, tmp_path) == {
        "jupyter_otel._version",
        "jupyter_otel.config_files",
        "jupyter_otel.errors",
        "jupyter_otel.hosts",
        "jupyter_otel.hosts.runs",
        "jupyter_otel.hosts.runs.configured",
        "jupyter_otel.hosts.runs.hooks",
        "jupyter_otel.sources",
        "jupyter_otel.sources.faults",
    }
