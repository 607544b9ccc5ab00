"""A notebook's own OpenTelemetry, as one trace with its executions, in real back ends.

The cells use the plain SDK and the stock instrumentation of `requests`; server and
kernel export to the same place by themselves, and the trace is read back from there.
"""

from tests.integration.conftest import (  # noqa: F401 - start_server is a fixture
    COLLECTING,
    KernelClient,
    start_server,
    wait_until,
)

TRACE_ID = "7c3a1f0e9d8b4a6f8c5e2d1b0a9f8e7d"
CLICK_ID = "1a2b3c4d5e6f7081"
SETUP = """
import asyncio
import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

trace.set_tracer_provider(TracerProvider())
exporter = OTLPSpanExporter(endpoint={endpoint!r} + "/v1/traces")
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
RequestsInstrumentor().instrument()
tracer = trace.get_tracer("user")
"""
LOAD = """
with tracer.start_as_current_span("load"):
    answer = requests.get({url!r})
"""
TASK = """
async def work(name):
    with tracer.start_as_current_span(name):
        await asyncio.sleep(0)

task = asyncio.create_task(work("task"))
await work("await")
"""
WAIT = "await task"


def run_notebook(server, endpoint):
    """Run its cells, one click each, in one trace."""
    client = KernelClient(server, server.start_session("notes.ipynb"))
    cells = {
        "setup": SETUP.format(endpoint=endpoint),
        "load": LOAD.format(url=endpoint),
        "task": TASK,
        "wait": WAIT,
    }
    clicked = f"00-{TRACE_ID}-{CLICK_ID}-01"
    printed = [
        client.run(code, {"cellId": cell, "traceparent": clicked})
        for cell, code in cells.items()
    ]
    client.close()
    assert printed == ["", "", "", ""]


def paths(spans):
    """Return every span of (id, parent's id, name) as the names from the root to it."""
    by_id = {span_id: (parent_id, name) for span_id, parent_id, name in spans}

    def path(span_id):
        parent_id, name = by_id.get(span_id, ("", "click"))
        return [*path(parent_id), name] if span_id in by_id else [name]

    return sorted(path(span_id) for span_id in by_id)


EXPECTED = sorted(
    [
        *[["click", "execute"]] * 4,
        ["click", "execute", "load"],
        ["click", "execute", "load", "GET"],
        ["click", "execute", "await"],
        ["click", "execute", "task"],
    ]
)


def test_a_notebook_is_one_trace_in_the_collector(collector, start_server):  # noqa: F811 - the imported fixture
    endpoint = collector.endpoint("http/protobuf")
    server = start_server(
        *COLLECTING,
        f"--OtelExport.endpoint={endpoint}",
    )
    run_notebook(server, endpoint)
    server.end()

    spans = [span for span in collector.spans() if span["traceId"] == TRACE_ID]
    found = [(s["spanId"], s["parentSpanId"], s["name"]) for s in spans]
    assert paths(found) == EXPECTED


def test_a_notebook_is_one_trace_in_jaeger(jaeger, start_server):  # noqa: F811 - the imported fixture
    server = start_server(
        *COLLECTING,
        f"--OtelExport.endpoint={jaeger.endpoint}",
    )
    run_notebook(server, jaeger.endpoint)
    server.end()

    found = wait_until(lambda: jaeger.spans(TRACE_ID), lambda it: len(it) == 8)
    assert paths(found) == EXPECTED
