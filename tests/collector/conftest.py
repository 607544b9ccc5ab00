"""A real OpenTelemetry Collector with the configuration that we ship."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from tests.collector.jaeger import Jaeger

ROOT = Path(__file__).parents[2]
CONFIGURATIONS = ROOT / "collector-config"
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Gateway:
    """The Collector, under ``gateway.yaml`` unless said, in a folder of its own."""

    def __init__(
        self,
        binary,
        folder,
        configuration=CONFIGURATIONS / "gateway.yaml",
        port=None,
    ):
        self.folder = folder
        self.http = f"127.0.0.1:{port or free_port()}"
        self.grpc = f"127.0.0.1:{free_port()}"
        self._health = f"127.0.0.1:{free_port()}"
        environment = {
            **os.environ,
            "GATEWAY_HTTP": self.http,
            "GATEWAY_GRPC": self.grpc,
            "GATEWAY_HEALTH": self._health,
            "GATEWAY_METRICS_PORT": str(free_port()),
            "GATEWAY_DIRECTORY": str(folder),
        }
        with (folder / "collector.log").open("wb") as log:
            self._process = subprocess.Popen(
                [binary, "--config", configuration],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def endpoint(self, protocol):
        """Return the base URL at which it takes a protocol."""
        return f"http://{self.grpc if protocol == 'grpc' else self.http}"

    def wait_until_up(self):
        """Return when it says that it is well."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self._is_up():
            log = (self.folder / "collector.log").read_text()
            assert self._process.poll() is None, log
            assert time.monotonic() < deadline_s, log
            time.sleep(0.05)

    def _is_up(self):
        try:
            return requests.get(f"http://{self._health}", timeout=1).ok
        except requests.RequestException:
            return False

    def stop(self):
        """End it in order: whatever it acknowledged is in its files afterwards."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def requests(self, signal):
        """Stop it and return the OTLP/JSON requests that it wrote."""
        self.stop()
        path = self.folder / f"{signal}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def log_records(self):
        """Stop it and return the log records that it wrote, in order."""
        return [
            record
            for request in self.requests("logs")
            for resource in request["resourceLogs"]
            for scope in resource["scopeLogs"]
            for record in scope["logRecords"]
        ]

    def spans(self):
        """Stop it and return the spans that it wrote, in order."""
        return [
            span
            for request in self.requests("traces")
            for resource in request["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


@pytest.fixture(scope="session")
def otelcol():
    """The built Collector. Built here if there is Go; `make collector` is the same."""
    build = CONFIGURATIONS / "build.sh"
    done = subprocess.run([build, "path"], check=True, capture_output=True, text=True)
    binary = Path(done.stdout.strip())
    if not binary.exists():
        missing("The Collector", "make collector")
    return binary


@pytest.fixture
def jaeger(tmp_path):
    """A running Jaeger on free ports. `make jaeger` builds it."""
    build = Path(__file__).with_name("build-jaeger.sh")
    done = subprocess.run([build, "path"], check=True, capture_output=True, text=True)
    binary = Path(done.stdout.strip())
    if not binary.exists():
        missing("Jaeger", "make jaeger")
    running = Jaeger(binary, tmp_path, [free_port() for _ in range(3)])
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


def missing(what, command):
    """Skip a test for want of something; where everything must run, fail."""
    reason = f"{what} is not built: run `{command}`"
    if shutil.which("go") is None:
        reason = f"{what} cannot be built: install Go 1.25 or newer"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def gateway(otelcol, tmp_path):
    """A running gateway on free ports."""
    folder = tmp_path / "gateway"
    folder.mkdir()
    running = Gateway(otelcol, folder)
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture
def collector(otelcol, tmp_path):
    """A Collector that takes and keeps everything."""
    (tmp_path / "kept").mkdir()
    configuration = Path(__file__).with_name("everything.yaml")
    running = Gateway(otelcol, tmp_path / "kept", configuration)
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def no_opentelemetry_variables(monkeypatch):
    """Whatever the machine exports to elsewhere must not reach these tests."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
