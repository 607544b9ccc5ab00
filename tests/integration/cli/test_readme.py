"""What README shows, done as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def run(cli, *command):
    done = subprocess.run(
        command,
        cwd=cli.home,
        env={
            **cli.environment,
            "PATH": f"{Path(sys.executable).parent}:{cli.environment['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_application_runs_and_its_event_is_written(cli):
    [application] = [block for block in blocks("python") if "TOOL =" in block]
    run(cli, sys.executable, "-c", application)
    assert "org.example.tools.run" in cli("events")[1]


def test_the_preview_shows_what_would_leave(cli):
    [preview] = [block for block in blocks("bash") if "preview" in block]
    out = run(cli, "/bin/sh", "-c", preview)
    assert '{"exported": true,' in out
    assert "grades.ipynb" not in out


def test_the_settings_are_a_configuration_without_complaint(cli):
    [settings] = [block for block in blocks("python") if "c.OtelPolicy" in block]
    config = cli.write("mine.py", settings)
    found = cli("doctor", "--config", config)[1]
    assert "FAILED  configuration" not in found
    assert "ok      consent         OtelConsent.mode is mandatory" in found


def test_the_overlay_is_one(cli):
    [overlay] = [block for block in blocks("yaml") if "schemas:" in block]
    file = cli.write("tools.yaml", overlay)
    assert cli("schemas", "check", file) == (0, "", f"{file}: overlay, ok\n")
