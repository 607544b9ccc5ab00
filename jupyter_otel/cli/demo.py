"""``jupyter otel demo``: the main job, on this machine, with nothing set up.

A real server, a real kernel, the embedded default; then what was recorded is read
back from the files, shown, and checked against what was done.
"""

import argparse
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from shutil import which

from traitlets.config import Config

from jupyter_otel.cli.demo_notebook import Run, run_notebook
from jupyter_otel.cli.demo_server import DemoError, DemoServer
from jupyter_otel.cli.events import event_table
from jupyter_otel.cli.journal import Journal, LogRecord, Span, log_records, spans
from jupyter_otel.cli.waterfall import traces, waterfall
from jupyter_otel.tally import Signal

_EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
_CONTENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"
_ARRIVE_S = 10.0
_POLL_S = 0.2

_ENDED = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_SCRIPT = "jupyter-otel"

_NEEDED = {"jupyter_server": "jupyter-otel[server]", "ipykernel": "ipykernel"}

_POINT = """\
The same into a Collector of yours, in jupyter_server_config.py; tell your users:
  c.OtelPolicy.level = "usage"
  c.OtelConsent.mode = "mandatory"
  c.OtelExport.endpoint = "http://localhost:4318"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "--directory",
        metavar="DIR",
        default="jupyter-otel-demo",
        help="put everything there (default: jupyter-otel-demo, here)",
    )
    parser.add_argument(
        "--lab", action="store_true", help="use a JupyterLab, and leave it open"
    )


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Run it; 1 when something that was done is not in the files."""
    del config  # the demo has its own, and shows it
    _check_installed(lab=arguments.lab)
    for ended in _ENDED:  # so that the server, in a session of its own, ends too
        signal.signal(ended, _leave)
    directory = Path(arguments.directory).absolute()
    start_ns = time.time_ns()
    _say(f"Starting a Jupyter Server in {directory} …")
    with DemoServer(directory, lab=arguments.lab) as server:
        _say(
            "Collecting at level usage, code as a hash. Consent is set to mandatory,\n"
            "so nobody is asked: the only person here is you. Running a notebook …\n"
        )
        done = run_notebook(server)
        if not arguments.lab:
            server.shut_down()  # from now on nothing is added to the files
        arrive_s = _ARRIVE_S if arguments.lab else 0.0
        status = _report(server, done, start_ns, arrive_s)
        if arguments.lab and status == 0:
            _say(f"\nJupyterLab: {server.url}lab?token={server.token}\nCtrl-C ends it.")
            _wait(server)
    return status


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)  # as a shell tells of it


def _check_installed(*, lab: bool) -> None:
    needed = _NEEDED | ({"jupyterlab": "jupyterlab"} if lab else {})
    missing = [name for module, name in needed.items() if find_spec(module) is None]
    if missing:
        words = " ".join(f"'{name}'" for name in missing)
        raise DemoError(f"The demo needs more than is installed: pip install {words}")


def _report(server: DemoServer, done: Run, start_ns: int, arrive_s: float) -> int:
    """Show what was recorded of this run, and what is missing after that time."""
    deadline_s = time.monotonic() + arrive_s
    while True:
        records, found = _recorded(server.export, done, start_ns)
        missing = _missing(done, records, found)
        if not missing or time.monotonic() > deadline_s:
            break
        time.sleep(_POLL_S)
    for trace in traces(found):
        _say(waterfall(trace))
    _say(event_table(records))
    _say(f"Files: {server.export}/logs.jsonl and traces.jsonl (OTLP/JSON)")
    _say(f"Again: {_this_program()} traces --directory {quote(str(server.export))}\n")
    for what in missing:
        sys.stderr.write(f"Missing: {what}. The server's log: {server.log}\n")
    if not missing:
        _say(_POINT.rstrip())
    return int(bool(missing))


def _this_program() -> str:
    """Return how this program was started, in a form that works here."""
    script = Path(sys.argv[0])
    if script.name != _SCRIPT:
        return f"{quote(sys.executable)} -m jupyter_otel.cli.main"
    found = which(_SCRIPT)
    on_path = found is not None and Path(found).absolute() == script.absolute()
    return "jupyter otel" if on_path and which("jupyter") else quote(str(script))


def _recorded(
    export: Path, done: Run, start_ns: int
) -> tuple[list[LogRecord], list[Span]]:
    """Return the log records since the start and the spans of the run's trace."""
    records = log_records(Journal(export, Signal.LOGS).lines())
    all_spans = spans(Journal(export, Signal.TRACES).lines())
    return (
        [record for record in records if record.time_ns >= start_ns],
        [span for span in all_spans if span.trace_id == done.trace_id],
    )


def _missing(done: Run, records: list[LogRecord], found: list[Span]) -> list[str]:
    """Return what was done and cannot be found."""
    executions = [
        record
        for record in records
        if record.schema_id == _EXECUTION
        and record.trace_id == done.trace_id
        and record.attributes.get("jupyter.event.phase") == "finished"
    ]
    saves = [
        record
        for record in records
        if record.schema_id == _CONTENTS
        and record.attributes.get("jupyter.event.action") == "save"
    ]
    below = [span for span in found if span.parent_span_id == done.parent_span_id]
    executed = [span for span in below if span.name == "execute"]
    failed = [span for span in executed if span.failed]
    wanted = (
        (len(executions) == done.cells, f"{done.cells} finished executions in the log"),
        (len(executed) == done.cells, f"{done.cells} spans below the client's span"),
        (len(failed) == 1, "the one cell that failed, as a span with status ERROR"),
        (bool(saves), "the events of the saved files"),
    )
    return [what for holds, what in wanted if not holds]


def _wait(server: DemoServer) -> None:
    try:
        server.wait()
    except KeyboardInterrupt:
        server.shut_down()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
