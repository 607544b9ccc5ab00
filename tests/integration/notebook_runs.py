# ruff: noqa: D102 - what the helpers of tests do is in their names
"""Notebooks that end in every way, run by every program, each in a home of its own."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from nbformat import write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.integration.conftest import Server, environment

SCRIPT = Path(__file__).parent / "run_notebook.py"
COLLECTING = """
c.OtelPolicy.level = "audit"
c.OtelPolicy.code = "text"
c.OtelConsent.mode = "mandatory"
"""
NBCONVERT = """
from jupyter_otel import notebook_hooks

c.NotebookClient.update(notebook_hooks())
"""
TRACE, PARENT = "1" * 32, "2" * 16
USERS_SPAN = """\
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
with trace.get_tracer("user").start_as_current_span("mine") as span:
    print(f"{span.context.trace_id:032x} {span.parent.span_id:016x}")"""
SLEEP = "import time; open('begun', 'w').close(); time.sleep(100)"
_TIMEOUTS_S = {"timeout": 4}


def cell(source, *tags, name=None):
    return new_code_cell(source, id=name or f"c{len(source)}", metadata={"tags": tags})


ENDS = {
    "ok": [
        new_markdown_cell("text", id="text"),
        cell("  ", name="blank"),
        cell("1/0", "skip-execution", name="skipped"),
        cell("1 + 1", name="first"),
        cell(USERS_SPAN, name="second"),
    ],
    "error": [cell("1", name="first"), cell("1/0", name="second"), cell("3")],
    "allowed": [
        cell("1/0", "raises-exception", name="first"),
        cell("3", name="second"),
    ],
    "died": [cell("1", name="first"), cell("import os; os._exit(1)", name="second")],
    "timeout": [cell("1", name="first"), cell(SLEEP, name="second"), cell("3")],
    "interrupt": [cell("1", name="first"), cell(SLEEP, name="second"), cell("3")],
}


class Run:
    """What became of a run."""

    def __init__(self, home: Path, process, output: str) -> None:
        self.home, self.output, self.returncode = home, output, process.returncode
        self._exported = Server(home, process)

    @property
    def logs(self):
        return self._exported.logs()

    @property
    def spans(self):
        return {span.raw["spanId"]: span for span in self._exported.spans()}

    @property
    def notebook(self):
        names = ("out.ipynb", "in.nbconvert.ipynb")
        [path] = filter(Path.exists, (self.home / "work" / name for name in names))
        return json.loads(path.read_text())

    @property
    def told(self):
        """Return the events as name, cell, phase, status."""
        names = ("jupyter.cell.id", "jupyter.event.phase", "jupyter.event.status")
        return [
            (log.name.removeprefix("jupyter_otel."), *map(log.attributes.get, names))
            for log in self.logs
        ]


class Home:
    """A folder with settings and notebooks, where programs run."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        (home / "work").mkdir()
        (home / "config").mkdir()
        self.configure(jupyter_otel=COLLECTING, jupyter_nbconvert=NBCONVERT)
        self.configure(**settings)

    def configure(self, **settings: str) -> None:
        """Write settings by the name of the program that reads them."""
        for name, text in settings.items():
            (self.home / "config" / f"{name}_config.py").write_text(text)

    def write(self, cells, name="in.ipynb"):
        kernel = {"name": "python3", "display_name": "Python", "language": "python"}
        notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
        write(notebook, self.home / "work" / name)

    def run(self, engine, *options, end=None, **environ) -> Run:
        """Run in.ipynb, or what the options say; interrupt it where it shall end so."""
        timeout_s = _TIMEOUTS_S.get(end, 100)
        process = subprocess.Popen(
            [sys.executable, *_command(engine, timeout_s), *(options or ["in.ipynb"])],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment(self.home), **environ},
            cwd=self.home / "work",
            text=True,
            start_new_session=True,
        )
        try:
            if end == "interrupt":
                self._interrupt(process)
            output, _ = process.communicate(timeout=110)
        finally:
            process.kill()
        return Run(self.home, process, output)

    def _interrupt(self, process) -> None:
        while not (self.home / "work" / "begun").exists():
            assert process.poll() is None, "it ended before it could be interrupted"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)


def _command(engine, timeout_s):
    """Return a command that lacks only the path of a notebook."""
    if engine == "nbconvert":
        limit = f"--ExecutePreprocessor.timeout={timeout_s}"
        convert = ["--execute", "--to", "notebook", limit]
        return ["-m", "nbconvert", *convert]
    if engine == "papermill --engine":
        limit = ["--execution-timeout", str(timeout_s)]
        quiet = ["--no-progress-bar", "--engine", "jupyter_otel"]
        return ["-m", "papermill", *quiet, *limit, "--stdout-file", "/dev/null"]
    return [str(SCRIPT), engine, str(timeout_s)]
