"""A Jupyter Server for the demo: everything of its own, everything in one folder.

::

    <directory>/
      jupyter_server_config.py          what you would write
      notebooks/                        what the server serves
      export/                           logs.jsonl, traces.jsonl
      spool/ config/ data/ runtime/ server.log
"""

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from jupyter_otel.errors import JupyterOtelError

_START_S = 60.0
_STOP_S = 20.0
_POLL_S = 0.1

_CONFIGURATION = """\
# Written by `jupyter otel demo` each time it runs.
from pathlib import Path

here = Path(__file__).parent
c = get_config()  # noqa: F821
c.ServerApp.jpserver_extensions = {"jupyter_otel": True}
c.ServerApp.allow_root = True  # for containers; it listens on this machine only
c.OtelPolicy.level = "usage"
c.OtelPolicy.code = "hash"  # executed code leaves as a keyed hash
c.OtelConsent.mode = "mandatory"  # nobody is asked: you are the only one here
c.OtelTraces.kernel = "spans"  # each cell has a span inside its kernel, too,
c.OtelSources.otlp_relay = True  # as has what its code does; they come by the relay
c.OtelExport.directory = str(here / "export")
c.OtelSpool.directory = str(here / "spool")
"""


class DemoError(JupyterOtelError):
    """The demo cannot run here; the message says what is missing, and the cure."""


class DemoServer:
    """One server process, ended with the ``with`` block.

    Args:
        directory: Holds all that the server reads and writes.
        lab: Whether it is a JupyterLab.
    """

    def __init__(self, directory: Path, *, lab: bool) -> None:
        self.directory = directory
        self.log = directory / "server.log"
        self.export = directory / "export"
        self._configuration = directory / "jupyter_server_config.py"
        self.token = secrets.token_hex(24)
        self.url = ""
        self._app = "jupyterlab" if lab else "jupyter_server"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._lay_out()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.stop()

    def session(self) -> requests.Session:
        """Return a session that the server lets in."""
        session = requests.Session()
        session.trust_env = False  # no proxy between here and here
        session.headers["Authorization"] = f"token {self.token}"
        return session

    def shut_down(self) -> None:
        """Ask it to end as a user would, and wait: kernels end, records are sent."""
        with self.session() as session, suppress(requests.RequestException):
            session.post(f"{self.url}api/shutdown", timeout=_STOP_S)
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
        self.stop()

    def wait(self) -> None:
        """Return when it has ended by itself."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """End it in any case."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _lay_out(self) -> None:
        try:
            (self.directory / "notebooks").mkdir(parents=True, exist_ok=True)
            self._configuration.write_text(_CONFIGURATION, encoding="utf-8")
        except OSError as error:
            raise DemoError(
                "--directory must be a folder that can be written, got "
                f"{str(self.directory)!r} ({error.strerror}). Name another one."
            ) from error

    def _start(self) -> None:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our words
                [
                    *(sys.executable, "-m", self._app, "--no-browser"),
                    f"--config={self._configuration}",
                    f"--ServerApp.root_dir={self.directory / 'notebooks'}",
                    *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"),
                ],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us: we shut it down in order
            )
        self.url = self._wait_for_url(self._process)

    def _environment(self) -> dict[str, str]:
        """Return this environment without what would change what the demo shows."""
        ours = ("OTEL_", "JUPYTER_", "JPY_")
        kept = {
            key: text for key, text in os.environ.items() if not key.startswith(ours)
        }
        folders = {
            f"JUPYTER_{name.upper()}_DIR": str(self.directory / name)
            for name in ("config", "data", "runtime")
        }
        own = {"JUPYTER_TOKEN": self.token, "IPYTHONDIR": str(self.directory / "data")}
        if self._app == "jupyter_server":
            own["JUPYTER_NO_CONFIG"] = "1"  # no other extension
        return kept | folders | own

    def _wait_for_url(self, process: subprocess.Popen[bytes]) -> str:
        about = self.directory / "runtime" / f"jpserver-{process.pid}.json"
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s and process.poll() is None:
            with suppress(OSError, ValueError, KeyError, requests.RequestException):
                url = str(json.loads(about.read_text("utf-8"))["url"])
                with self.session() as session:
                    session.get(f"{url}api/status", timeout=_START_S).raise_for_status()
                return url
            time.sleep(_POLL_S)
        raise DemoError(f"The server did not start. Its log, {self.log}, says why.")
