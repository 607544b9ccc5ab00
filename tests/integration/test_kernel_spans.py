"""``spans`` mode in a real kernel: a provider for people who have none.

Server and kernel export to one receiver, as ``OTEL_EXPORTER_OTLP_ENDPOINT`` says.
"""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import HttpReceiver
from tests.integration.conftest import COLLECTING

API_ONLY = """
from opentelemetry import trace
tracer = trace.get_tracer("user")
with tracer.start_as_current_span("lent"):
    pass
"""
OWN_PROVIDER = """
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
memory = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
trace.set_tracer_provider(provider)
with tracer.start_as_current_span("own"):
    pass
print([span.name for span in memory.get_finished_spans()])
"""
FORK = """
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
def work(name):
    with tracer.start_as_current_span(name):
        pass
with ProcessPoolExecutor(1, get_context("fork")) as pool:
    pool.submit(work, "child").result()
"""


@pytest.fixture(scope="module")
def receiver():
    with HttpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def exporting_server(start_server, receiver):
    server = start_server(
        *COLLECTING,
        "--OtelTraces.kernel=spans",
        environ={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url},
    )
    yield server
    server.end()


@pytest.fixture
def client(exporting_server, connect):
    """A client of a new kernel."""
    return connect(exporting_server, exporting_server.start_kernel())


@pytest.fixture
def spans(client, receiver, wait_until):
    """Return what waits for so many spans since the test's start.

    Those of HTTP requests are not looked at.
    """

    def internal():
        return [
            span
            for span in receiver.inbox.records(Signal.TRACES)
            if span.kind == Span.SPAN_KIND_INTERNAL
        ]

    before = len(internal())

    def spans(count):
        return wait_until(
            lambda: internal()[before:],
            lambda found: len(found) == count,
            f"{count} spans",
        )

    return spans


def test_a_cell_and_spans_without_a_provider_stand_below_the_execution(client, spans):
    assert client.run(API_ONLY) == ""

    found = spans(3)
    by_name = {span.name: span for span in found}
    execute, cell, lent = (by_name[name] for name in ("execute", "cell", "lent"))
    assert lent.parent_span_id == cell.span_id
    assert cell.parent_span_id == execute.span_id
    assert {span.trace_id for span in found} == {execute.trace_id}


def test_a_provider_that_the_user_sets_later_takes_over(client, spans):
    client.run(API_ONLY)

    assert client.run(OWN_PROVIDER) == "['own']\n"

    found = spans(5)
    assert sorted(span.name for span in found) == [
        *("cell", "cell", "execute", "execute", "lent"),
    ]


def test_a_cell_that_fails_says_by_which_error(client, spans):
    client.run("{}['secret']")

    found = spans(2)
    (cell,) = [span for span in found if span.name == "cell"]
    attributes = {item.key: item.value.string_value for item in cell.attributes}
    assert (attributes, cell.status.code) == ({"error.type": "KeyError"}, 2)
    assert "secret" not in str(found)


def test_what_a_forked_child_records_is_sent(client, spans):
    client.run(API_ONLY)
    client.run(FORK)

    found = spans(6)
    (child,) = [span for span in found if span.name == "child"]
    (cell, *_) = [span for span in found if span.span_id == child.parent_span_id]
    assert cell.name == "cell"


def test_a_receiver_that_is_down_is_told_by_the_magic_alone(
    start_server, connect, free_port, wait_until
):
    server = start_server(
        *COLLECTING,
        "--OtelTraces.kernel=spans",
        environ={"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port}"},
    )
    client = connect(server, server.start_kernel())

    printed = client.run(API_ONLY)
    told = wait_until(
        lambda: client.run("%otel").splitlines()[1],
        lambda mode: not mode.endswith(" 0 lost"),
    )

    assert printed == ""
    assert told.startswith("mode      spans: ")
    assert " 0 sent, " in told
    server.end()
