"""The whole road: a person's cell on a real server, found in the Collector's files."""

from tests.integration.conftest import (  # noqa: F401 - start_server is a fixture
    COLLECTING,
    KernelClient,
    attributes_of,
    start_server,
)

TRACE_ID = "5e1f0c6ad2b74e6c8f0d1a2b3c4d5e6f"
CLICK_ID = "00f067aa0ba902b7"


def named(records, event_name):
    """Return the attributes of the records of one event, in order."""
    return [
        attributes_of(record) for record in records if record["eventName"] == event_name
    ]


def test_a_cell_and_the_end_of_its_kernel_reach_the_collector(gateway, start_server):  # noqa: F811 - the imported fixture
    server = start_server(
        *COLLECTING, f"--OtelExport.endpoint={gateway.endpoint('http/protobuf')}"
    )
    kernel_id = server.start_session("notes.ipynb")
    client = KernelClient(server, kernel_id)
    printed = client.run(
        "print(6 * 7)",
        {"cellId": "cell-1", "traceparent": f"00-{TRACE_ID}-{CLICK_ID}-01"},
    )
    client.close()
    server.end()

    records, spans = gateway.log_records(), gateway.spans()
    (span,) = [span for span in spans if span["name"] == "execute"]
    (finished,) = [
        execution
        for execution in named(records, "jupyter_otel.execution")
        if execution["jupyter.event.phase"] == "finished"
    ]
    assert printed == "42\n"
    assert span["traceId"] == TRACE_ID
    assert span["parentSpanId"] == CLICK_ID
    assert finished["jupyter.event.status"] == "ok"
    assert finished["jupyter.kernel.id"] == kernel_id
    assert finished["jupyter.notebook.path"] == "notes.ipynb"
    assert finished["jupyter.cell.id"] == "cell-1"
    assert "6 * 7" not in str(records)
    actions = named(records, "jupyter_server.kernel_actions")
    assert [it["jupyter.event.action"] for it in actions] == ["start", "shutdown"]
