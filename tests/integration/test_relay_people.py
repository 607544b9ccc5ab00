"""Whose data the relay passes on, on a server that two people share."""

from functools import partial

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
        owner = ANN if kernel_id == anns else BOB
        token = token_in(partial(connect, token=owner), server, kernel_id)
        status, text = post(server, one_span(), X_Jupyter_Otel_Kernel=token)
        refused = ExportTraceServiceResponse.FromString(text).partial_success
        answers[kernel_id] = (status, refused.rejected_spans)

    assert answers == {anns: (200, 0), bobs: (200, 1)}
    [(resource, _)] = wait_until(lambda: of_kernel(receiver, Signal.TRACES, anns))
    assert resource == {
        "jupyter.source": "kernel",
        "jupyter.trust": "client",
        "jupyter.kernel.id": anns,
        "user.name": "ann",
    }
    assert of_kernel(receiver, Signal.TRACES, bobs) == []


def test_a_kernel_that_two_used_names_neither_and_waits_for_the_yes_of_both(
    start_server,
    receiver,  # noqa: F811 - the imported fixture
    connect,
    wait_until,
):
    server = start_shared_server(
        start_server,
        "--OtelSources.otlp_relay=True",
        "--OtelSources.executions=False",  # it does not depend on these
        f"--OtelExport.endpoint={receiver.url}",
    )
    anns = start_kernel(server, ANN)
    consent(server, ANN, extensions=True)
    token = token_in(partial(connect, token=ANN), server, anns)
    # Quietly: that is no execution that anybody is told of.
    connect(server, anns, token=BOB).send("code = 'of bob'", silent=True)

    def rejected(name):
        status, text = post(server, one_span(name=name), X_Jupyter_Otel_Kernel=token)
        assert status == 200
        refused = ExportTraceServiceResponse.FromString(text).partial_success
        return refused.rejected_spans

    without_bob = rejected("without")
    consent(server, BOB, extensions=True)
    with_bob = rejected("with")

    assert (without_bob, with_bob) == (1, 0)
    [(resource, span)] = wait_until(lambda: of_kernel(receiver, Signal.TRACES, anns))
    assert span.name == "with"
    assert resource == {
        "jupyter.source": "kernel",
        "jupyter.trust": "client",
        "jupyter.kernel.id": anns,
    }
