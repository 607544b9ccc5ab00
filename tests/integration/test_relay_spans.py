"""Spans that a kernel is lent a provider for, through the relay, over TLS too."""

import pytest

from jupyter_otel.tally import Signal
from jupyter_otel.testing.certificates import self_signed
from tests.integration.test_relay import (  # noqa: F401 - receiver is a fixture
    RELAYING,
    USER_CODE,
    of_kernel,
    receiver,
)

API_ONLY = """
from opentelemetry import trace
with trace.get_tracer("user").start_as_current_span("lent"):
    pass
"""


def test_a_cells_span_comes_below_its_execution_and_stamped(
    start_server,
    receiver,  # noqa: F811 - the imported fixture
    connect,
    wait_until,
):
    server = start_server(
        *RELAYING[1:],
        "--OtelPolicy.level=usage",
        "--OtelTraces.kernel=spans",
        f"--OtelExport.endpoint={receiver.url}",
    )
    kernel_id = server.start_kernel()

    assert connect(server, kernel_id).run(API_ONLY) == ""

    found = wait_until(
        lambda: of_kernel(receiver, Signal.TRACES, kernel_id), lambda it: len(it) == 2
    )
    executions = wait_until(
        lambda: [
            span
            for span in receiver.inbox.records(Signal.TRACES)
            if span.name == "execute"
        ]
    )
    spans = {span.name: (resource, span) for resource, span in found}
    (resource, cell), (_, lent) = spans["cell"], spans["lent"]
    [execution] = executions
    assert cell.parent_span_id == execution.span_id
    assert lent.parent_span_id == cell.span_id
    assert {cell.trace_id, lent.trace_id} == {execution.trace_id}
    assert resource["service.name"] == "jupyter-kernel"
    assert resource["jupyter.trust"] == "client"


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """Return a file with a key and a certificate for 127.0.0.1 that signs itself."""
    path = self_signed(tmp_path / "server.pem", "server")
    # Of this process, for its own clients.
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(path))
    return path


def test_a_certificate_that_signs_itself_is_one_that_kernels_know(
    certificate, start_server, connect, wait_until
):
    server = start_server(
        *RELAYING,
        "--OtelTraces.kernel=spans",
        f"--ServerApp.certfile={certificate}",
        f"--ServerApp.keyfile={certificate}",
    )
    assert server.url.startswith("https://127.0.0.1:")

    client = connect(server, server.start_kernel())
    assert client.run(USER_CODE) == "[True, True, True]\n"
    assert server.status()["signals"]["metrics"]["accepted"] == 1
    client.run(API_ONLY)

    def spans():
        return {span.name for span in server.spans()}

    assert wait_until(spans, lambda names: "lent" in names) == {"work", "cell", "lent"}
