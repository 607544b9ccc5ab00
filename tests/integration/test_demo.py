"""The demo, as the first command that a person runs."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).with_name("jupyter-otel")


@pytest.fixture
def demo(tmp_path):
    """Return what runs the demo in a folder of its own."""

    def run(*arguments, **environment):
        return subprocess.run(
            [str(SCRIPT), "demo", *arguments],
            cwd=tmp_path,
            env=environment_of(tmp_path) | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def environment_of(home):
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


def test_the_demo_shows_a_real_run_and_where_its_files_lie(demo, tmp_path):
    # An environment like this must not lead its records elsewhere.
    nowhere = "http://127.0.0.1:9"
    elsewhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": nowhere, "http_proxy": nowhere}
    done = demo(**elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("  execute  ") == 4
    assert done.stdout.count("ERROR IndexError") == 2  # the execution and its cell
    assert "9 spans   below the client's span" in done.stdout
    assert re.search(r"\n  execute .*\n    cell .*\n      average ", done.stdout)
    assert "Consent is set to mandatory" in done.stdout
    assert 'c.OtelExport.endpoint = "http://localhost:4318"' in done.stdout
    export = tmp_path / "jupyter-otel-demo" / "export"
    assert f"Files: {export}/logs.jsonl and traces.jsonl" in done.stdout
    for name in ("logs.jsonl", "traces.jsonl"):
        lines = (export / name).read_text().splitlines()
        assert all(isinstance(json.loads(line), dict) for line in lines)
        assert "temperatures" not in "".join(lines)


def test_the_demo_runs_again_in_its_folder(demo):
    assert demo("--directory", "d").returncode == 0
    again = demo("--directory", "d")
    assert (again.returncode, again.stdout.count("  execute  ")) == (0, 4)


def test_the_demo_says_what_is_missing(demo, tmp_path):
    # The extension cannot be imported by the server, and only by it.
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'jupyter_server' in sys.orig_argv:\n"
        "    sys.modules['jupyter_otel.hosts.server'] = None\n"
    )
    done = demo("--directory", "d", PYTHONPATH=str(tmp_path / "broken"))
    assert done.returncode == 1
    log = tmp_path / "d" / "server.log"
    assert done.stderr == "".join(
        f"Missing: {what}. The server's log: {log}\n"
        for what in (
            "4 finished executions in the log",
            "4 spans below the client's span",
            "the one cell that failed, as a span with status ERROR",
            "the events of the saved files",
        )
    )
    assert "c.OtelExport.endpoint" not in done.stdout


def test_a_folder_that_cannot_be_is_bad_use(demo, tmp_path):
    (tmp_path / "file").touch()
    done = demo("--directory", "file/d")
    assert (done.returncode, done.stdout.count("\n")) == (2, 1)
    assert done.stderr == (
        "jupyter otel: --directory must be a folder that can be written, got "
        f"'{tmp_path}/file/d' (Not a directory). Name another one.\n"
    )


def test_what_it_says_to_run_again_works_where_it_is_not_on_the_path(demo, tmp_path):
    without = {"PATH": "/usr/bin:/bin"}
    shown = demo("--directory", "a b", **without).stdout
    [command] = [
        line.removeprefix("Again: ")
        for line in shown.splitlines()
        if line.startswith("Again: ")
    ]
    assert command == f"{SCRIPT} traces --directory '{tmp_path}/a b/export'"
    again = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tmp_path,
        env=environment_of(tmp_path) | without,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.count("  execute  ") == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_ended_takes_its_server_along(tmp_path, number):
    process = subprocess.Popen(
        [str(SCRIPT), "demo", "--directory", "d"],
        cwd=tmp_path,
        env=environment_of(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        # Said once the server answers.
        line = next(line for line in process.stdout if line.startswith("Collecting"))
        [about] = (tmp_path / "d" / "runtime").glob("jpserver-*.json")
        server = json.loads(about.read_text())["pid"]
        process.send_signal(number)
        process.stdout.read()
    assert line
    assert process.returncode == 128 + number
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
