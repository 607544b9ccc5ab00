"""What a Jupyter Server feels of us: start, exit, event loop; beside the plain server.

    python benchmarks/host.py [ROUNDS]

Every server is a real one in a process of its own, with a home of its own. The rounds
are interleaved, so that the ratios of one run are worth something: nothing else is.

``start``  from the process to the first answer; and its CPU until then
``exit``   from SIGTERM to the end, after 50 events, taken by the receiver or not
``loop``   how late a timer of 5 ms comes, 99th percentile, at 1 000 events a second
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil
from sink import running_sink

PROBE = Path(__file__).with_name("host_probe")
PLAIN = "plain server"
LISTENED = "plain, a handler that does nothing"
"""Any handler makes the bus validate each event: that is not ours alone."""
RATE_PER_S = 1000
LOOP_S = 4.0


class Case(NamedTuple):
    """One kind of server."""

    name: str
    options: tuple[str, ...]
    receiver: str
    """up, down, black hole, or empty where there is none."""


OTHERS = (
    "jupyter_collaboration",
    "jupyter_lsp",
    "jupyter_server_fileid",
    "jupyter_server_nbmodel",
    "jupyter_server_terminals",
    "jupyter_server_ydoc",
    "jupyterlab",
    "notebook",
    "notebook_shim",
)
_LISTENING = "import logging\nc.EventLogger.handlers = [logging.NullHandler()]\n"
_COLLECTS = ("--OtelPolicy.level=audit", "--OtelConsent.mode=mandatory")
CASES = (
    Case(PLAIN, (), ""),
    Case(LISTENED, (), ""),
    Case("installed, level none", (), ""),
    Case("collects, receiver up", _COLLECTS, "up"),
    Case("collects, receiver down", _COLLECTS, "down"),
    Case("collects, black hole", _COLLECTS, "black hole"),
)


def _free_port() -> int:
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        port: int = unbound.getsockname()[1]
        return port


@contextmanager
def _receiver(kind: str) -> Iterator[str]:
    """Give the base URL of a receiver of that kind."""
    if kind == "up":
        with running_sink() as endpoint:
            yield endpoint.removesuffix("/v1/logs")
    elif kind == "black hole":
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(64)  # connects, and never answers
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    else:
        yield f"http://127.0.0.1:{_free_port()}"


class Server:
    """A running server, and what it was seen to need."""

    def __init__(self, case: Case, endpoint: str, home: Path) -> None:
        self._url = f"http://127.0.0.1:{_free_port()}/"
        options = [
            f"--ServerApp.port={self._url.split(':')[2].strip('/')}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.jpserver_extensions={_extensions(case)}",
            "--IdentityProvider.token=",
            "--ServerApp.disable_check_xsrf=True",
            "--ServerApp.allow_root=True",
            "--ServerApp.open_browser=False",
            f"--ServerApp.root_dir={home}",
            *case.options,
        ]
        if case.receiver:
            options.append(f"--OtelExport.endpoint={endpoint}")
        if case.name == LISTENED:
            (home / "config").mkdir()
            (home / "config" / "jupyter_server_config.py").write_text(_LISTENING)
        began_s = time.perf_counter()
        with (home / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own server
                [sys.executable, "-m", "jupyter_server", *options],
                env=_environment(home),
                stdout=log,
                stderr=log,
            )
        self._await_answer()
        self.start_s = time.perf_counter() - began_s
        cpu = psutil.Process(self._process.pid).cpu_times()
        self.start_cpu_s = cpu.user + cpu.system

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._url

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def lateness_ms(self, events_per_s: int) -> float:
        """Return how late its loop's timers come while it emits so many events."""
        asked = f"host_probe?rate={events_per_s}&seconds={LOOP_S}"
        return float(self._get(asked, LOOP_S + 30)["p99_ms"])

    def exit_s(self) -> float:
        """Emit some events, end the server, return how long it took."""
        self._get("host_probe?rate=50&seconds=1", 30)
        began_s = time.perf_counter()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        return time.perf_counter() - began_s

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()

    def _await_answer(self) -> None:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            with suppress(urllib.error.URLError, ConnectionError):
                self._get("api", 5)
                return
            time.sleep(0.005)
        raise TimeoutError

    def _get(self, path: str, timeout_s: float) -> dict[str, float]:
        with urllib.request.urlopen(self._url + path, timeout=timeout_s) as answer:  # noqa: S310
            read: dict[str, float] = json.loads(answer.read())
            return read


def _extensions(case: Case) -> dict[str, bool]:
    ours = {"host_probe": True, "jupyter_otel": case.name not in (PLAIN, LISTENED)}
    return dict.fromkeys(OTHERS, False) | ours


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROBE),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }


def _measure(case: Case, figures: dict[str, list[float]]) -> None:
    with _receiver(case.receiver) as endpoint, tempfile.TemporaryDirectory() as home:
        server = Server(case, endpoint, Path(home))
        try:
            figures["start s"].append(server.start_s)
            figures["start CPU s"].append(server.start_cpu_s)
            figures["loop p99 ms"].append(server.lateness_ms(RATE_PER_S))
            figures["exit s"].append(server.exit_s())
        finally:
            server.kill()


def main(rounds: int = 5) -> None:
    """Measure every case in turn, so many times; print medians and differences."""
    figures: dict[str, dict[str, list[float]]] = {
        case.name: defaultdict(list) for case in CASES
    }
    for _ in range(rounds):
        for case in CASES:
            _measure(case, figures[case.name])
    plain = {name: median(values) for name, values in figures[CASES[0].name].items()}
    print(f"| median of {rounds} |", " | ".join(plain), "|")
    print("|---|" + "---|" * len(plain))
    for case in CASES:
        cells = []
        for name, values in figures[case.name].items():
            middle = median(values)
            cells.append(f"{middle:.2f} ({middle - plain[name]:+.2f})")
        print(f"| {case.name} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
