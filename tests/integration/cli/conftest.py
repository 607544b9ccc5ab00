"""``jupyter otel`` as a process of its own, with a home of its own."""

import json
import os
import pty
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest


class CommandLine:
    """Runs ``jupyter otel`` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.export = home / "data" / "jupyter_otel" / "export"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "NO_PROXY": "*",
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        }

    def popen(self, *arguments, **environment):
        """Start a command."""
        script = Path(sys.executable).with_name("jupyter-otel")
        return subprocess.Popen(
            [str(script), *arguments],
            cwd=self.home,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments, stdin="", **environment):
        """Run a command; return its status, output and errors."""
        process = self.popen(*arguments, **environment)
        out, err = process.communicate(stdin, timeout=60)
        return process.returncode, out, err

    def in_terminal(self, *arguments):
        """Run a command whose output is a terminal; return all that it shows."""
        ours, theirs = pty.openpty()
        script = Path(sys.executable).with_name("jupyter-otel")
        with subprocess.Popen(
            [str(script), *arguments],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        ):
            os.close(theirs)
            shown = b""
            with suppress(OSError):  # Linux says EIO where the last writer has gone
                while part := os.read(ours, 65536):
                    shown += part
        os.close(ours)
        return shown.decode()

    def write(self, name, text) -> str:
        """Write a file in the home, JSON unless it is text; return its path."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        return str(path)


@pytest.fixture
def cli(tmp_path):
    return CommandLine(tmp_path)


@pytest.fixture
def closed_port():
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Doctor:
    """Runs ``jupyter otel doctor`` and remembers what it found."""

    def __init__(self, cli) -> None:
        self.cli = cli

    def __call__(self, *arguments, **environment):
        """Return the exit status, and the findings by check."""
        status, out, err = self.cli("doctor", "--json", *arguments, **environment)
        assert err == ""
        found = {}
        for finding in json.loads(out):
            found.setdefault(finding["check"], []).append(
                (finding["state"], finding["what"], finding["cure"])
            )
        return status, found


@pytest.fixture
def doctor(cli):
    return Doctor(cli)
