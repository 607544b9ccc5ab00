"""Executions of real kernels, seen at a real server, as they are exported."""

import json
import time

import pytest

from tests.integration.conftest import wait_until

V1 = "v1.kernel.websocket.jupyter.org"
TRACE_ID = "11111111111111111111111111111111"
PARENT_ID = "2222222222222222"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"
PRINT_METADATA = (
    "import json; print(json.dumps(get_ipython().parent_header['metadata']))"
)
EVENT = "jupyter.event."
BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", [V1, None], ids=["v1", "legacy"])


@pytest.fixture
def kernel_id(server):
    kernel_id = server.start_kernel()
    yield kernel_id
    if server.answers(f"api/kernels/{kernel_id}"):
        server.request("DELETE", f"api/kernels/{kernel_id}")


def facts(record, *names):
    return {name: record.attributes.get(EVENT + name) for name in names}


def spans(server, kernel_id, count=1):
    """Return the spans of a kernel's executions, once there are as many.

    They travel beside the log records, and may come later.
    """
    return wait_until(
        lambda: server.spans("execute", **{"jupyter.kernel.id": kernel_id}),
        lambda found: len(found) >= count,
        f"{count} spans",
    )


def statuses(records):
    return [record.attributes[EVENT + "status"] for record in records]


@BOTH_PROTOCOLS
def test_an_execution_becomes_two_log_records_and_a_span(server, connect, protocol):
    (server.home / "work" / "walk.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    kernel_id = server.start_session("walk.ipynb")
    client = connect(server, kernel_id, protocol)

    client.run("print('hi')\n1 + 1", {"cellId": "c1", "traceparent": TRACEPARENT})

    [started] = server.executions(kernel_id, "started")
    [finished] = server.executions(kernel_id)
    [span] = spans(server, kernel_id)
    counted = facts(finished, "status", "output_count", "execution_count", "code_lines")
    assert counted == {
        "status": "ok",
        "output_count": 2,
        "execution_count": 1,
        "code_lines": 2,
    }
    for record in (started, finished):
        shared = facts(record, "code", "kernel_name", "client")
        assert shared == {
            "code": "print('hi')\n1 + 1",
            "kernel_name": "python3",
            "client": "python",
        }
        assert record.attributes["jupyter.notebook.path"] == "walk.ipynb"
        assert record.attributes["jupyter.cell.id"] == "c1"
        assert record.attributes["jupyter.trust"] == "server"
        assert record.raw["traceId"] == TRACE_ID
        assert record.raw["spanId"] == span.raw["spanId"]
    assert span.raw["parentSpanId"] == PARENT_ID
    assert finished.attributes[EVENT + "output_bytes"] > 0
    ran_ms = (
        int(span.raw["endTimeUnixNano"]) - int(span.raw["startTimeUnixNano"])
    ) / 1e6
    assert abs(ran_ms - finished.attributes[EVENT + "duration_ms"]) < 0.01
    server.request("DELETE", f"api/kernels/{kernel_id}")


@BOTH_PROTOCOLS
def test_the_kernel_sees_its_execution_and_no_state_of_the_client(
    server, connect, kernel_id, protocol
):
    client = connect(server, kernel_id, protocol)
    sent = {
        "cellId": "c1",
        "traceparent": TRACEPARENT,
        "tracestate": "a=b",
        "baggage": "c=d",
    }

    metadata = json.loads(client.run(PRINT_METADATA, sent))

    [finished] = server.executions(kernel_id)
    traceparent = f"00-{TRACE_ID}-{finished.raw['spanId']}-01"
    assert metadata == {"cellId": "c1", "traceparent": traceparent}


def test_without_a_clients_trace_each_execution_is_a_trace(server, connect, kernel_id):
    client = connect(server, kernel_id)
    client.run("1")
    client.run("2")

    server.executions(kernel_id, count=2)
    roots = spans(server, kernel_id, count=2)
    assert len({span.raw["traceId"] for span in roots}) == 2
    assert [span.raw.get("parentSpanId", "") for span in roots] == ["", ""]


def test_an_error_and_what_it_aborts(server, connect, kernel_id):
    client = connect(server, kernel_id)
    failing = client.send("import time; time.sleep(0.5); {}['secret']")
    aborted = client.send("'never'")
    client.await_reply(failing)
    client.await_reply(aborted)

    first, second = server.executions(kernel_id, count=2)
    assert facts(first, "status", "error_name") == {
        "status": "error",
        "error_name": "KeyError",
    }
    assert facts(second, "status", "output_count", "error_name") == {
        "status": "aborted",
        "output_count": 0,
        "error_name": None,
    }
    kinds = [
        (span.raw["status"].get("code"), span.attributes.get("error.type"))
        for span in spans(server, kernel_id, count=2)
    ]
    assert kinds == [(2, "KeyError"), (2, "aborted")]


def test_an_interrupt(server, connect, kernel_id):
    client = connect(server, kernel_id)
    running = client.send("import time; time.sleep(60)")
    client.await_busy(running)
    time.sleep(0.3)
    server.request("POST", f"api/kernels/{kernel_id}/interrupt")

    [finished] = server.executions(kernel_id)
    assert facts(finished, "status", "error_name") == {
        "status": "interrupted",
        "error_name": "KeyboardInterrupt",
    }


def test_a_kernel_that_dies(server, connect, kernel_id):
    client = connect(server, kernel_id)
    client.send("import os; os._exit(1)")

    assert statuses(server.executions(kernel_id)) == ["kernel_died"]


def test_a_kernel_that_is_restarted(server, connect, kernel_id):
    client = connect(server, kernel_id)
    running = client.send("import time; time.sleep(60)")
    client.await_busy(running)
    server.request("POST", f"api/kernels/{kernel_id}/restart")

    assert statuses(server.executions(kernel_id)) == ["kernel_died"]


def test_what_a_client_leaves_behind_is_followed_to_its_end(server, connect, kernel_id):
    client = connect(server, kernel_id)
    # A socket that watches joins a new kernel within the tenth of a second.
    client.run("import time; time.sleep(0.3)")
    running = client.send("time.sleep(1); {}['a']")
    client.await_busy(running)
    client.close()

    _, finished = server.executions(kernel_id, count=2)
    assert facts(finished, "status", "error_name", "execution_count") == {
        "status": "error",
        "error_name": "KeyError",
        "execution_count": 2,
    }
    assert finished.attributes[EVENT + "duration_ms"] > 900


def test_silent_requests_are_no_executions(server, connect, kernel_id):
    client = connect(server, kernel_id)
    client.await_reply(client.send("1", silent=True, store_history=False))
    client.run("2")

    [finished] = server.executions(kernel_id)
    assert facts(finished, "code") == {"code": "2"}


def test_two_clients_of_one_kernel_report_their_own(server, connect, kernel_id):
    ann, bob = connect(server, kernel_id), connect(server, kernel_id, None)
    ann.run("'ann'")
    bob.run("'bob'")

    finished = server.executions(kernel_id, count=2)
    assert [record.attributes[EVENT + "code"] for record in finished] == [
        "'ann'",
        "'bob'",
    ]


def test_without_traces_neither_span_nor_traceparent(start_server, connect):
    server = start_server(
        "--OtelPolicy.level=usage",
        "--OtelConsent.mode=mandatory",
        "--OtelTraces.enabled=False",
    )
    kernel_id = server.start_kernel()

    metadata = json.loads(connect(server, kernel_id).run(PRINT_METADATA, {"x": 1}))

    [finished] = server.executions(kernel_id)
    assert metadata == {"x": 1}
    assert server.spans() == []
    hidden = facts(finished, "code", "code_hash", "code_lines")
    assert hidden == {"code": None, "code_hash": None, "code_lines": 1}
    assert server.end() == 0


def test_without_the_source_nothing_is_captured(start_server, connect):
    server = start_server(
        "--OtelPolicy.level=audit",
        "--OtelConsent.mode=mandatory",
        "--OtelSources.executions=False",
        "--OtelSources.http_requests=False",
        "--OtelSources.jupyter_events=False",
        "--OtelSources.http_requests=False",
    )
    kernel_id = server.start_kernel()
    connect(server, kernel_id).run("1")

    seen = server.probe()
    assert seen["handlers"] == []
    assert seen["connection_class"] == "ZMQChannelsWebsocketConnection"
    assert server.status()["signals"]["logs"]["accepted"] == 0
    assert server.end() == 0


def test_the_books_balance_and_nothing_is_lost(server, connect, kernel_id):
    connect(server, kernel_id).run("1")
    server.executions(kernel_id)

    status = server.status()
    for signal in ("logs", "traces"):
        page = status["signals"][signal]
        dropped = sum(page["dropped"].values())
        ended = page["sent"] + page["pending"] + page["aggregated"] + dropped
        assert page["accepted"] == ended
        assert page["dropped"] == {}
    assert status["signals"]["traces"]["accepted"] > 0
    assert status["level"] == "audit"
    ours = [line for line in server.log.splitlines() if "jupyter_otel:" in line]
    assert [line for line in ours if not line.startswith("[I ")] == []
