"""The demo's person: saves a notebook, runs its cells, and goes.

Speaks to the server as a browser does: REST for files and sessions, the kernel's
WebSocket for executions, a `traceparent` with each.
"""

import json
import secrets
import socket
import uuid
from collections.abc import Mapping
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from jupyter_otel.cli.demo_server import DemoError, DemoServer

NOTEBOOK = "demo.ipynb"
DATA = "temperatures.csv"

_DATA_TEXT = "day,sea\n1,14.2\n2,14.6\n3,15.1\n4,15.0\n"

_READ = f"import csv\nrows = list(csv.DictReader(open({DATA!r})))\nlen(rows)"
_COMPUTE = """\
import time
from opentelemetry import trace
with trace.get_tracer("demo").start_as_current_span("average"):  # a span of its own
    time.sleep(0.4)  # a computation that takes its time
    average = sum(float(row["sea"]) for row in rows) / len(rows)
average"""
_FAIL = "rows[99]['sea']  # there is no such day"
_GO_ON = "print('and the run goes on')"

CELLS = (_READ, _COMPUTE, _FAIL, _GO_ON)

_TIMEOUT_S = 60.0


class Run(NamedTuple):
    """What the person did, to be found again in the records."""

    trace_id: str
    parent_span_id: str
    cells: int


def run_notebook(server: DemoServer) -> Run:
    """Save the notebook, run all its cells in one trace, end its kernel.

    Raises:
        DemoError: The server or the kernel does not do its part.
    """
    run = Run(secrets.token_hex(16), secrets.token_hex(8), len(CELLS))
    cell_ids = [uuid.uuid4().hex[:8] for _ in CELLS]
    _save(server, DATA, {"type": "file", "format": "text", "content": _DATA_TEXT})
    notebook = {"type": "notebook", "format": "json", "content": _notebook(cell_ids)}
    _save(server, NOTEBOOK, notebook)
    _rest(server, "GET", f"api/contents/{NOTEBOOK}")
    about = {"path": NOTEBOOK, "name": NOTEBOOK, "type": "notebook"}
    kernel = {"name": "python3"}
    session = _rest(server, "POST", "api/sessions", {**about, "kernel": kernel})
    _execute(server, session["kernel"]["id"], run, cell_ids)
    _rest(server, "DELETE", f"api/sessions/{session['id']}")
    return run


def _notebook(cell_ids: list[str]) -> dict[str, Any]:
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": cell_id,
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for cell_id, source in zip(cell_ids, CELLS, strict=True)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def _save(server: DemoServer, path: str, model: Mapping[str, Any]) -> None:
    _rest(server, "PUT", f"api/contents/{path}", model)


def _rest(
    server: DemoServer, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Any:
    with server.session() as session:
        response = session.request(
            method, f"{server.url}{path}", json=body, timeout=_TIMEOUT_S
        )
    if not response.ok:
        raise DemoError(
            f"The server answers {method} {path} with HTTP {response.status_code}. "
            f"Its log, {server.log}, says why."
        )
    return response.json() if response.content else None


def _execute(server: DemoServer, kernel_id: str, run: Run, cell_ids: list[str]) -> None:
    """Run the cells one after the other, an error notwithstanding."""
    import websocket  # noqa: PLC0415 - comes with jupyter_server, which is an extra

    session_id = uuid.uuid4().hex
    url = f"ws{server.url.removeprefix('http')}api/kernels/{kernel_id}/channels"
    parts = urlsplit(server.url)
    try:
        # A socket of our own: websocket would ask a proxy for this very machine.
        link = socket.create_connection((parts.hostname, parts.port), _TIMEOUT_S)
        connection = websocket.create_connection(
            f"{url}?session_id={session_id}",
            header=[f"Authorization: token {server.token}"],
            timeout=_TIMEOUT_S,
            socket=link,
        )
        with closing(connection):
            for cell_id, source in zip(cell_ids, CELLS, strict=True):
                request = _request(session_id, run, cell_id, source)
                connection.send(json.dumps(request))
                _wait_for_end(connection, request["header"]["msg_id"])
    except (websocket.WebSocketException, OSError) as error:
        raise DemoError(
            f"The kernel does not answer ({type(error).__name__}). The server's log, "
            f"{server.log}, says why."
        ) from error


def _request(session_id: str, run: Run, cell_id: str, source: str) -> dict[str, Any]:
    return {
        "channel": "shell",
        "header": {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "session": session_id,
            "username": "demo",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {
            "cellId": cell_id,
            "traceparent": f"00-{run.trace_id}-{run.parent_span_id}-01",
        },
        "content": {"code": source, "silent": False, "stop_on_error": False},
    }


def _wait_for_end(connection: Any, message_id: str) -> None:
    """Return when the kernel has replied and is idle again."""
    waiting = {"execute_reply", "idle"}
    while waiting:
        message = json.loads(connection.recv())
        if message["parent_header"].get("msg_id") != message_id:
            continue
        waiting.discard(message["msg_type"])
        if message["msg_type"] == "status":
            waiting.discard(message["content"]["execution_state"])
