"""A real Jaeger: where it is, how it is started, and what it has."""

import os
import subprocess
import time
from pathlib import Path

import requests

HERE = Path(__file__).parent
START_TIMEOUT_S = 30


class Jaeger:
    """It runs until it is stopped; traces are kept in its memory.

    Args:
        binary: What ``build-jaeger.sh`` has built.
        folder: For its log.
        ports: Three free ones.
    """

    def __init__(self, binary, folder, ports):
        otlp, query, query_grpc = (f"127.0.0.1:{port}" for port in ports)
        self.endpoint = f"http://{otlp}"
        self._query = f"http://{query}/api"
        self._log = folder / "jaeger.log"
        environment = {
            **os.environ,
            "JAEGER_OTLP": otlp,
            "JAEGER_QUERY": query,
            "JAEGER_QUERY_GRPC": query_grpc,
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [binary, "--config", HERE / "jaeger.yaml"],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_up(self):
        """Return when it answers questions and takes spans."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self._is_up():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline_s, self._log.read_text()
            time.sleep(0.05)

    def _is_up(self):
        try:
            answers = requests.get(f"{self._query}/services", timeout=1).ok
            taken = requests.post(f"{self.endpoint}/v1/traces", json={}, timeout=1).ok
        except requests.RequestException:
            return False
        return answers and taken

    def spans(self, trace_id):
        """Return (id, parent's id, name) of each span of a trace."""
        answer = requests.get(f"{self._query}/traces/{trace_id}", timeout=10)
        return [
            (span["spanID"], _parent(span), span["operationName"])
            for trace in answer.json()["data"] or []
            for span in trace["spans"]
        ]

    def stop(self):
        """End it."""
        self._process.kill()
        self._process.wait()


def _parent(span):
    (parent,) = [
        reference["spanID"]
        for reference in span["references"]
        if reference["refType"] == "CHILD_OF"
    ]
    return parent
