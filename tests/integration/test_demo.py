"""The demo, as the first command that a person runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def demo(tmp_path):
    """Return what runs the demo in a folder of its own."""

    def run(*arguments, **environment):
        script = Path(sys.executable).with_name("jupyter-otel")
        return subprocess.run(
            [str(script), "demo", *arguments],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "LANG": "C.UTF-8",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_the_demo_shows_a_real_run_and_where_its_files_lie(demo, tmp_path):
    # An environment like this must not lead its records elsewhere.
    nowhere = "http://127.0.0.1:9"
    elsewhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": nowhere, "http_proxy": nowhere}
    done = demo(**elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("  execute  ") == 4
    assert done.stdout.count("ERROR IndexError") == 1
    assert "4 spans   below the client's span" in done.stdout
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
