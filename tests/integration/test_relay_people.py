"""Whose data the relay passes on, on a server that two people share."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from jupyter_otel.tally import Signal
from tests.integration.test_relay import (  # noqa: F401 - receiver is a fixture
    of_kernel,
    one_span,
    post,
    receiver,
    token_in,
)
from tests.integration.two_users import ANN, BOB, consent, start_shared_server


def start_kernel(server, person):
    return server.request("POST", "api/kernels", {"name": "python3"}, person)["id"]


def test_a_kernels_data_is_of_whoever_started_it_and_goes_as_they_say(
    start_server,
    receiver,  # noqa: F811 - the imported fixture
    connect,
    wait_until,
):
    server = start_shared_server(
        start_server,
        "--OtelSources.otlp_relay=True",
        f"--OtelExport.endpoint={receiver.url}",
    )
    anns, bobs = start_kernel(server, ANN), start_kernel(server, BOB)
    consent(server, ANN, extensions=True)
    consent(server, BOB, operations=True)

    answers = {}
    for kernel_id in (anns, bobs):
        # Read by somebody else: that changes nothing.
        token = token_in(connect, server, kernel_id)
        status, text = post(server, one_span(), X_Jupyter_Otel_Kernel=token)
        partial = ExportTraceServiceResponse.FromString(text).partial_success
        answers[kernel_id] = (status, partial.rejected_spans)

    assert answers == {anns: (200, 0), bobs: (200, 1)}
    [(resource, _)] = wait_until(lambda: of_kernel(receiver, Signal.TRACES, anns))
    assert resource == {
        "jupyter.source": "kernel",
        "jupyter.trust": "client",
        "jupyter.kernel.id": anns,
        "user.name": "ann",
    }
    assert of_kernel(receiver, Signal.TRACES, bobs) == []
