"""User code's own data through the relay for kernels, as the Collector wrote it."""

from tests.integration.conftest import (  # noqa: F401 - start_server is a fixture
    KernelClient,
    attributes_of,
    start_server,
)
from tests.integration.test_relay import RELAYING, USER_CODE

LAYERS = {
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}


def found(collector, signal, scope_name):
    """Return a scope's records with their resource."""
    outer, inner, items = LAYERS[signal]
    return [
        (attributes_of(resource["resource"]), record)
        for request in collector.requests(signal)
        for resource in request[outer]
        for scope in resource[inner]
        for record in scope[items]
        if scope["scope"].get("name") == scope_name
    ]


def test_a_cells_own_logs_spans_and_metrics_reach_the_collector_stamped(
    collector,
    start_server,  # noqa: F811 - the imported fixture
):
    endpoint = collector.endpoint("http/protobuf")
    server = start_server(*RELAYING, f"--OtelExport.endpoint={endpoint}")
    kernel_id = server.start_kernel()
    client = KernelClient(server, kernel_id)
    assert client.run(USER_CODE) == "[True, True, True]\n"
    client.close()
    server.end()

    [(of_span, span)] = found(collector, "traces", "mine")
    [(of_log, log)] = found(collector, "logs", "mine")
    # Once when the cell says so, and once more when the kernel ends.
    [_, (of_metric, metric)] = found(collector, "metrics", "mine")

    [point] = metric["sum"]["dataPoints"]
    stamps = {
        "jupyter.source": "kernel",
        "jupyter.trust": "client",
        "jupyter.kernel.id": kernel_id,
    }
    for resource in (of_span, of_log, of_metric):
        assert resource.items() >= stamps.items()
    assert (span["name"], attributes_of(span)) == ("work", {"kept": 1})
    assert (log["traceId"], attributes_of(log)["kept"]) == (span["traceId"], 1)
    assert attributes_of(point) == {"kept": 1}
