"""Data that cells of a real kernel open, as a real server exports it."""

import json

import pytest

DATASETS = (
    "--OtelPolicy.level=audit",
    "--OtelConsent.mode=mandatory",
    "--OtelSources.datasets=True",
)
ACCESS = "jupyter_otel.dataset_access"
OPENED = "jupyter_otel.document_opened"
EVENT = "jupyter.event."


@pytest.fixture(scope="module")
def server(start_server):
    """Return a server that asks its kernels for the data they open."""
    return start_server(*DATASETS)


@pytest.fixture
def client(server, connect):
    kernel_id = server.start_kernel()
    yield connect(server, kernel_id)
    server.request("DELETE", f"api/kernels/{kernel_id}")


def accesses(server, wait_until, count, **attributes):
    return wait_until(
        lambda: server.logs(ACCESS, **attributes),
        lambda records: len(records) >= count,
        f"{count} dataset accesses",
    )


def facts(record):
    """Return the payload of a record."""
    return {
        name.removeprefix(EVENT): value
        for name, value in record.attributes.items()
        if name.startswith(EVENT)
    }


def test_a_dataset_is_a_log_record_of_its_execution_without_credentials(
    server, client, wait_until
):
    client.run("open('a.csv', 'w').write('a,b')")
    path = str(server.home / "work" / "a.csv")
    [written] = accesses(server, wait_until, 1, **{EVENT + "uri": path})
    code = (
        "from jupyter_otel_kernel import record_dataset\n"
        "for _ in range(3):\n"
        "    record_dataset('s3://ann:hunter2@bucket/a.zarr?sig=hunter2#hunter2')\n"
    )
    client.run(code)

    [read] = accesses(server, wait_until, 1, **{EVENT + "operation": "read"})
    assert facts(written) == {
        "operation": "write",
        "status": "ok",
        "uri": path,
        "library": "python",
        "function": "open",
        "format": "csv",
    }
    assert facts(read) == {
        "operation": "read",
        "status": "ok",
        "uri": "s3://bucket/a.zarr",
        "format": "zarr",
    }
    executions = server.executions(client.kernel_id, count=2)
    for access, execution in zip((written, read), executions, strict=True):
        assert access.raw["traceId"] == execution.raw["traceId"]
        assert access.raw["spanId"] == execution.raw["spanId"]
        assert access.attributes["jupyter.source"] == "kernel"
        assert access.attributes["jupyter.trust"] == "client"
        assert access.attributes["jupyter.kernel.id"] == client.kernel_id
    assert "hunter2" not in json.dumps([record.raw for record in server.logs(ACCESS)])


def test_a_loop_over_10_000_files_is_1000_records_at_most_and_none_is_lost(
    start_server, connect, wait_until
):
    server = start_server(*DATASETS)
    client = connect(server, server.start_kernel())
    client.run(
        "for number in range(10_000):\n    with open(f'{number}.txt', 'w'): pass\n"
    )

    summaries = {EVENT + "operation": "summary"}
    [summary] = accesses(server, wait_until, 1, **summaries)
    counts = {name: facts(summary)[name] for name in ("recorded", "further")}
    assert counts == {"recorded": 998, "further": 9002}
    written = [facts(record)["uri"] for record in server.logs(ACCESS)[:-1]]
    work = server.home / "work"
    assert written == [str(work / f"{number}.txt") for number in range(998)]
    assert server.status()["signals"]["logs"]["refused"] == {}
    assert server.end() == 0


HOSTILE = """
import json, os
kernel = get_ipython().kernel
parent = kernel.session.msg_header("kernel_info_request")
msg_id = get_ipython().get_parent()["header"]["msg_id"]
OURS = "https://events.jupyter.org/jupyter_otel/"
ACCESS = OURS + "dataset_access/v1"
sequence = 0

def send(content):
    message = kernel.session.msg("jupyter_otel_event", content, parent=parent)
    frames = kernel.session.serialize(message, ident=b"jupyter_otel")
    kernel.iopub_thread.send_multipart(frames)

def report(*events, channel="forged", lost=0):
    global sequence
    send({"channel": channel, "sequence": sequence, "lost": lost, "events": events})
    sequence += 1

def event(data, schema_id=ACCESS, **changes):
    usual = {"schema_id": schema_id, "data": data, "time_ns": 0, "msg_id": msg_id}
    return {**usual, **changes}
"""
FORGERIES = """
for name in ("sign_in", "execution", "consent", "pipeline_report", "hub_admin"):
    report(event({"phase": "finished", "action": "login"}, OURS + name + "/v1"))
HUBS = "https://schema.jupyter.org/jupyterhub/events/server-action"
report(event({"action": "start"}, HUBS))
report(event({"operation": "read", "user_name": "mallory", "user.name": "mallory"}))
report(event({"operation": "read", "uri": ["a"], "size_bytes": "much"}))
report(event({"operation": "destroy"}))
report(event({"operation": "read"}, msg_id="of somebody else"))
report(event({"operation": "read"}, user="mallory", person="mallory", trust="hub"))
report(7, None, "text", event(None), event({}, schema_id=None))
report(lost=-1); report(channel=None)
for content in ([], "text", None, {"events": {}}):
    send(json.dumps(content).encode())
report(event({"operation": "read", "uri": "x" * 100_000_000}))
"""
# Paced, so that the server reads it: the iopub channel drops what it cannot hold.
FLOOD = """
import time
for _ in range(300):
    report(*[event({"operation": "read", "uri": "/flood"})] * 100)
    time.sleep(0.005)
"""


def test_a_hostile_kernel_changes_its_own_counters_only(
    start_server, connect, wait_until
):
    server = start_server(*DATASETS)
    kernel_id, other_id = server.start_kernel(), server.start_kernel()
    hostile, other = connect(server, kernel_id), connect(server, other_id)
    hostile.run(HOSTILE)
    hostile.run(FORGERIES)
    hostile.run(FLOOD)
    other.run("open('quiet.csv', 'w').close()")

    path = str(server.home / "work" / "quiet.csv")
    [quiet] = accesses(server, wait_until, 1, **{EVENT + "uri": path})
    books = wait_until(
        lambda: server.status()["signals"]["logs"],
        lambda logs: logs["refused"].get("flood") and logs["pending"] == 0,
    )
    [execution] = server.executions(other_id)
    assert quiet.raw["spanId"] == execution.raw["spanId"]
    refused = books["refused"]
    # The iopub channel may lose some of a flood by itself: that is counted, too.
    assert refused.pop("lost") >= 3
    assert refused.pop("flood") <= 300
    assert refused == {
        "not_allowed": 6,
        "unattributed": 1,
        "malformed": 5 + 6,
        "too_large": 1,
    }
    assert books["dropped"] == {"invalid": 3}
    forged = server.logs(ACCESS, **{"jupyter.source": "kernel"})
    executed = [
        record.raw["spanId"] for record in server.executions(kernel_id, count=3)
    ]
    for record in forged:
        assert record.attributes["jupyter.trust"] == "client"
        assert record.raw["spanId"] in [*executed, execution.raw["spanId"]]
    names = {(r.name, r.attributes["jupyter.source"]) for r in server.logs()}
    assert names == {
        (ACCESS, "kernel"),
        ("jupyter_otel.execution", "server"),
        ("jupyter_otel.http_request", "server"),
        ("jupyter_server.kernel_actions", "server"),
    }
    assert "mallory" not in json.dumps([record.raw for record in server.logs()])
    assert server.status()["error"] is None
    assert hostile.run("print('alive')") == "alive\n"
    assert server.end() == 0


def test_documents_that_are_opened_are_told_with_their_type(server, wait_until):
    work = server.home / "work"
    (work / "walk.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    (work / "table.csv").write_text("a,b")
    for asked in (
        "?type=directory",
        "/walk.ipynb?type=notebook&content=0",
        "/walk.ipynb?type=notebook",
        "/walk.ipynb",
        "/table.csv?type=file&format=text&content=1",
        "/table.csv",
    ):
        server.request("GET", f"api/contents{asked}")

    opened = wait_until(
        lambda: server.logs(OPENED), lambda records: len(records) >= 5, "documents"
    )
    notebook = {"path": "walk.ipynb", "type": "notebook", "extension": "ipynb"}
    assert [facts(record) for record in opened] == [
        {"path": "", "type": "directory"},
        notebook,
        notebook,
        {"path": "table.csv", "type": "file", "extension": "csv", "format": "text"},
        {"path": "table.csv", "extension": "csv"},
    ]
    assert {record.attributes["jupyter.trust"] for record in opened} == {"server"}


def test_without_the_source_no_kernel_is_asked_and_no_document_told(
    start_server, connect
):
    server = start_server(*DATASETS[:-1])
    kernel_id = server.start_kernel()
    client = connect(server, kernel_id)
    code = "print(get_ipython().get_parent()['metadata'].get('jupyter_otel'))"
    asked = client.run(code)
    loaded = client.run(
        "import sys; print('jupyter_otel_kernel.datasets' in sys.modules)"
    )
    server.request("GET", "api/contents")

    server.executions(kernel_id, count=2)
    assert "'datasets': True" not in asked
    assert loaded == "False\n"
    assert server.end() == 0
    assert server.logs(ACCESS) + server.logs(OPENED) == []
