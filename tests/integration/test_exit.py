"""What a server still has to say when it is ended, and that it ends at all."""

import signal
import sqlite3
from contextlib import closing

import pytest

COLLECTING = ("--OtelPolicy.level=audit", "--OtelConsent.mode=mandatory")
ACTIONS = "jupyter_server.kernel_actions"


def actions(server, kernel_id):
    records = server.logs(ACTIONS, **{"jupyter.event.kernel_id": kernel_id})
    return [record.attributes["jupyter.event.action"] for record in records]


def test_kernels_that_a_stopped_server_shuts_down_are_reported(start_server, connect):
    server = start_server(*COLLECTING)
    idle, running = server.start_kernel(), server.start_kernel()
    client = connect(server, running)
    client.await_busy(client.send("import time; time.sleep(60)"))

    assert server.end(signal.SIGTERM) == 0

    assert actions(server, idle) == ["start", "shutdown"]
    assert actions(server, running) == ["start", "shutdown"]
    [finished] = server.executions(running)
    assert finished.attributes["jupyter.event.status"] in {
        "kernel_died",
        "disconnected",
    }
    assert server.spans("execute", **{"jupyter.kernel.id": running})


def test_an_interrupted_server_sends_what_it_has(start_server, connect):
    # Without a terminal SIGINT ends the loop at once: no extension is stopped, no
    # kernel shut down.
    server = start_server(*COLLECTING)
    kernel_id = server.start_kernel()
    connect(server, kernel_id).run("1")

    server.end(signal.SIGINT)

    assert "Interrupted" in server.log
    assert actions(server, kernel_id) == ["start"]
    assert len(server.executions(kernel_id)) == 1
    assert len(server.spans("execute", **{"jupyter.kernel.id": kernel_id})) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_with_the_receiver_down_all_waits_on_disk(start_server, free_port, number):
    server = start_server(
        *COLLECTING,
        "--OtelSources.http_requests=False",
        f"--OtelExport.endpoint=http://127.0.0.1:{free_port}",
    )
    kernel_id = server.start_kernel()
    accepted = server.status()["signals"]["logs"]["accepted"]

    server.end(number)

    at_exit = 1 if number == signal.SIGTERM else 0  # the kernel's shutdown
    assert accepted >= 1
    assert waiting(server) == accepted + at_exit
    assert kernel_id


def waiting(server):
    """Return how many records wait in the spool of a dead server."""
    [file] = (server.home / "data" / "jupyter_otel" / "spool").glob("*.sqlite*")
    with closing(sqlite3.connect(file)) as spool:
        return spool.execute("SELECT sum(records) FROM rows").fetchone()[0]
