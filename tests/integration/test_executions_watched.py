"""Kernels that are watched: through restarts, beside several clients, to the end."""

import json
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.integration.conftest import COLLECTING, wait_until
from tests.integration.execution_clients import Attached, AttachedClient

EVENT = "jupyter.event."


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(
        *COLLECTING, "--OtelPolicy.code=text", "--OtelSources.heartbeat_s=0.5"
    )


@pytest.fixture
def kernel_id(server):
    kernel_id = server.start_kernel()
    yield kernel_id
    if server.process.poll() is None and server.answers(f"api/kernels/{kernel_id}"):
        server.request("DELETE", f"api/kernels/{kernel_id}")


@pytest.fixture(scope="module")
def attached(server):
    attached = Attached(server.home)
    yield attached
    attached.close()


def ended(server, kernel_id, count):
    """Return code and status of each execution of a kernel that has ended."""
    return {
        record.attributes[EVENT + "code"]: record.attributes[EVENT + "status"]
        for record in server.executions(kernel_id, count=count)
    }


def test_a_long_execution_is_reported_while_it_runs(server, connect, kernel_id):
    client = connect(server, kernel_id)
    running = client.send("import time; print('hi', flush=True); time.sleep(60)")
    client.await_busy(running)
    beats = server.executions(kernel_id, "running", count=2)
    server.request("POST", f"api/kernels/{kernel_id}/interrupt")

    [started] = server.executions(kernel_id, "started")
    server.executions(kernel_id)
    for beat in beats:
        assert beat.raw["spanId"] == started.raw["spanId"]
        assert beat.attributes[EVENT + "output_count"] == 1
        assert EVENT + "status" not in beat.attributes
    assert len(server.executions(kernel_id)) == 1


def test_a_request_that_leaves_no_history_is_marked(server, connect, kernel_id):
    client = connect(server, kernel_id)
    client.await_reply(client.send("1", store_history=False))
    client.run("2")

    marks = {
        record.attributes[EVENT + "code"]: record.attributes.get(
            EVENT + "store_history"
        )
        for record in server.executions(kernel_id, count=2)
    }
    assert marks == {"1": False, "2": None}


def test_clients_of_all_kinds_beside_each_other_are_reported_once_each(
    server, connect, kernel_id, attached
):
    clients = [connect(server, kernel_id), connect(server, kernel_id, None)]
    script = AttachedClient(server, kernel_id, attached, "script")
    cells = {f"{number} + {who}" for who in range(3) for number in range(5)}
    script.ask(*(f"{number} + 2" for number in range(5)))
    for number in range(5):
        for who, client in enumerate(clients):
            client.send(f"{number} + {who}")

    assert ended(server, kernel_id, 15) == dict.fromkeys(cells, "ok")
    assert len(server.executions(kernel_id, "started", 15)) == 15
    assert len(server.executions(kernel_id)) == 15


def ask_until_heard(server, script, code):
    """Have a script run code, up to three times; return the statuses of its ends.

    What a kernel says before our socket has joined it nobody hears.
    """
    for _ in range(3):
        script.ask(code)
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            ends = [
                record.attributes[EVENT + "status"]
                for record in server.executions(script.kernel_id, count=0)
                if record.attributes[EVENT + "code"] == code
            ]
            if ends:
                return ends
            time.sleep(0.05)
    pytest.fail("nobody heard the script")


@pytest.mark.parametrize("end", ["restart", "death"])
def test_a_script_is_found_after_a_restart_too(server, kernel_id, attached, end):
    script = AttachedClient(server, kernel_id, attached, "script")
    if end == "restart":
        ask_until_heard(server, script, "1")
        server.request("POST", f"api/kernels/{kernel_id}/restart")
    else:
        ask_until_heard(server, script, "import os, time; time.sleep(0.5); os._exit(1)")
        script.leave()

    assert set(ask_until_heard(server, script, "2")) == {"ok"}


def test_an_execution_that_is_interrupted_takes_no_other_with_it(
    server, connect, kernel_id
):
    client = connect(server, kernel_id)
    running = client.send("import time; time.sleep(60)")
    client.await_busy(running)
    queued = client.send("1")
    server.request("POST", f"api/kernels/{kernel_id}/interrupt")
    client.await_reply(queued)
    client.run("2")

    assert ended(server, kernel_id, 3) == {
        "import time; time.sleep(60)": "interrupted",
        "1": "aborted",
        "2": "ok",
    }


def test_a_watch_is_no_connection_and_closes_its_sockets(server, connect):
    process = psutil.Process(server.process.pid)
    first = server.start_kernel()
    connect(server, first).run("1")
    server.request("DELETE", f"api/kernels/{first}")
    before = wait_until(process.num_fds)
    for _ in range(3):
        kernel_id = server.start_kernel()
        path = f"api/kernels/{kernel_id}"
        server.request("POST", f"{path}/restart")
        assert server.request("GET", path)["connections"] == 0
        server.request("DELETE", path)

    wait_until(process.num_fds, lambda count: count <= before + 2, "closed sockets")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_whoever_asks_from_outside_is_named_by_the_program_alone(
    server, kernel_id, attached
):
    AttachedClient(server, kernel_id, attached, "script").ask("1")

    [finished] = server.executions(kernel_id)
    assert finished.attributes[EVENT + "client"] == "python"
    assert str(Path(__file__).parent) not in json.dumps(finished.raw)


NAMES = """
from jupyter_server.auth.identity import IdentityProvider, User

class Naming(IdentityProvider):
    def get_user(self, handler):
        return User(username="ann")

c.ServerApp.identity_provider_class = Naming
c.ServerApp.disable_check_xsrf = True
"""


@pytest.mark.parametrize(("mode", "finds"), [("opt_out", False), ("mandatory", True)])
def test_what_is_nobodys_is_found_only_where_nobody_is_asked(
    start_server, connect, mode, finds
):
    server = start_server(
        "--OtelPolicy.level=audit",
        "--OtelPolicy.code=text",
        f"--OtelConsent.mode={mode}",
        files={"config/jupyter_server_config.py": NAMES},
    )
    kernel_id = server.start_kernel()
    attached = Attached(server.home)
    script = AttachedClient(server, kernel_id, attached, "script")
    script.ask("1", "open('done', 'w').close()")
    wait_until((server.home / "work" / "done").exists)
    attached.close()
    connect(server, kernel_id).run("2")

    server.executions(kernel_id, count=3 if finds else 1)
    server.end()
    codes = {
        record.attributes[EVENT + "code"]: record.attributes.get("user.hash")
        for record in server.logs("jupyter_otel.execution")
    }
    assert ("1" in codes) is finds
    assert codes["2"] is not None
    assert codes.get("1") is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_runs_when_the_server_goes_has_ended_in_the_records(
    start_server, connect, number
):
    server = start_server(*COLLECTING, "--OtelPolicy.code=text")
    kernel_id = server.start_kernel()
    running = connect(server, kernel_id)
    running.await_busy(running.send("import time; time.sleep(60)"))

    server.end(number)

    [finished] = server.logs("jupyter_otel.execution", **{EVENT + "phase": "finished"})
    assert finished.attributes[EVENT + "status"] == "kernel_died"


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", ""), ("POST", "/restart")], ids=["stop", "restart"]
)
def test_a_kernels_end_is_seen_where_the_event_bus_is_not_listened_to(
    silent_bus, connect, method, path
):
    kernel_id = silent_bus.start_kernel()
    client = connect(silent_bus, kernel_id)
    # Deaf to the interrupt that comes before: only the kernel's end ends it.
    running = client.send(
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "time.sleep(60)"
    )
    client.await_busy(running)
    client.close()

    silent_bus.request(method, f"api/kernels/{kernel_id}{path}")

    assert list(ended(silent_bus, kernel_id, 1).values()) == ["kernel_died"]


@pytest.fixture(scope="module")
def silent_bus(start_server):
    return start_server(
        *COLLECTING, "--OtelPolicy.code=text", "--OtelSources.jupyter_events=False"
    )
