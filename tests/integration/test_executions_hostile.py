"""A kernel that says what it likes changes nothing but its own records and counters.

The kernel here sends forged messages on its own iopub socket, as any code in it can:
thousands a second, of other requests, of no request, without end, or no messages.
"""

import json

import pytest

from tests.integration.conftest import COLLECTING, wait_until

ALL = 1_500
HOSTILE = """
import json, os, time, uuid
kernel = get_ipython().kernel
session, socket = kernel.session, kernel.iopub_socket

def parent(msg_id, msg_type="execute_request", **further):
    return dict(session.msg_header(msg_type), msg_id=msg_id, **further)

def forge(kind, content, of):
    session.send(socket, kind, content, parent={"header": of}, ident=b"forged")

def raw(*parts):
    kernel.iopub_thread.send_multipart([b"forged", b"<IDS|MSG>", b"signature", *parts])
"""
FLOOD = (
    HOSTILE
    + f"""
for number in range({ALL}):
    of = parent(str(uuid.uuid4()), username="root", session="another")
    forge("execute_input", {{"code": "forged()", "execution_count": number}}, of)
    forge("status", {{"execution_state": "idle"}}, of)
    if number % 100 == 0:
        time.sleep(0.05)  # so that no socket's bound lets them off
"""
)
GARBAGE = (
    HOSTILE
    + """
known = get_ipython().parent_header["header"]["msg_id"]
good = json.dumps(parent(known)).encode()
kinds = ("status", "execute_input", "error", "stream", "jupyter_otel_event")
for kind in kinds:
    header = json.dumps({"msg_type": kind}).encode()
    for content in (b"", b"[]", b"7", b"\\xff", b"[" * 100_000, b'{"code": {}}'):
        raw(header, good, b"{}", content)
    for of in (b"", b"[]", b'"execute_request"', b"\\xff", b'{"msg_id": []}'):
        raw(header, of, b"{}", b'{"execution_state": "idle"}')
raw(b"7", good, b"{}", b"{}")
raw(b'"execute_request"')
raw()
kernel.iopub_thread.send_multipart([b"no message"])
forge("execute_input", {"code": ["no text"]}, parent("m" * 300))
forge("execute_input", {"code": "x" * (2 << 20)}, parent("large"))
forge("status", {"execution_state": "idle"}, parent("large"))
"""
)
HUGE = (
    HOSTILE
    + 'forge("stream", {"name": "stdout", "text": "x" * 100_000_000}, parent("h"))'
)


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(
        *COLLECTING, "--OtelPolicy.code=text", "--OtelSources.datasets=True"
    )


def run(server, connect, code):
    """Run code in a new kernel by a client that hears nothing; return its kernel."""
    kernel_id = server.start_kernel()
    client = connect(server, kernel_id)
    client.await_reply(client.send(code))
    return kernel_id


def statuses(server, kernel_id, count):
    return [
        record.attributes["jupyter.event.status"]
        for record in server.executions(kernel_id, count=count)
    ]


def of_others(server, kernel_id):
    """Return what is recorded of executions in other kernels, but for their times."""
    return {
        json.dumps(sorted(record.attributes.items()), default=str)
        for record in server.logs("jupyter_otel.execution")
        if record.attributes["jupyter.kernel.id"] != kernel_id
    }


@pytest.mark.parametrize("code", [FLOOD, GARBAGE, HUGE], ids=["flood", "junk", "huge"])
def test_a_neighbour_of_a_hostile_kernel_runs_and_is_recorded_as_ever(
    server, connect, code
):
    neighbour = server.start_kernel()
    client = connect(server, neighbour)
    client.run("1")
    server.executions(neighbour)
    before = of_others(server, "")

    hostile = run(server, connect, code)
    assert client.run("print('still here')") == "still here\n"

    assert statuses(server, neighbour, 2) == ["ok", "ok"]
    assert before <= of_others(server, hostile)
    books = server.status()["signals"]["logs"]
    assert books["dropped"] == {}
    noted = [line for line in server.log.splitlines() if "went on without" in line]
    assert noted == []


def test_a_flood_is_bounded_and_the_rest_is_counted(server, connect):
    before = server.status()["signals"]["logs"]["refused"].get("flood", 0)

    kernel_id = run(server, connect, FLOOD)

    refused = wait_until(
        lambda: server.status()["signals"]["logs"]["refused"].get("flood", 0) - before,
        what="a flood that is counted",
    )
    forged = {
        record.attributes["jupyter.trust"]
        for record in server.executions(kernel_id, "started", count=1000)
        if record.attributes.get("jupyter.event.code") == "forged()"
    }
    assert forged == {"client"}
    assert 0 < refused < ALL


def test_what_is_forged_says_nothing_of_who_did_it(server, connect):
    kernel_id = run(server, connect, FLOOD)

    asked, *forged = server.executions(kernel_id, "started", count=1000)
    of = {key: asked.attributes[key] for key in ("jupyter.source", "jupyter.kernel.id")}
    for record in forged:
        assert "root" not in str(record.attributes)
        assert of.items() <= record.attributes.items()
        assert record.attributes.get("user.hash") == asked.attributes.get("user.hash")


def test_a_client_cannot_be_told_that_its_execution_ended_otherwise(server, connect):
    forged = HOSTILE + (
        "of = get_ipython().parent_header['header']\n"
        "forge('error', {'ename': 'SystemError', 'evalue': '', 'traceback': []}, of)\n"
        "forge('execute_reply', {'status': 'aborted'}, of)\n"
    )
    kernel_id = run(server, connect, forged)

    assert statuses(server, kernel_id, 1) == ["ok"]
