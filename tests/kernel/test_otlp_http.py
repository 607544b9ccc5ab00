"""What the sender of ``spans`` mode does, against a real receiver."""

import pytest
from opentelemetry.sdk.trace import TracerProvider

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from jupyter_otel_kernel.otlp_http import OtlpHttp, endpoint_of


@pytest.fixture
def spans():
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("user")
    ended = []
    for name in ("a", "b"):
        span = tracer.start_span(name)
        span.end()
        ended.append(span)
    return ended


def named(receiver):
    return [span.name for span in receiver.inbox.records(Signal.TRACES)]


def test_spans_and_the_environments_headers_are_sent(spans, monkeypatch):
    # A proxy would be asked for other machines.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with HttpReceiver() as receiver:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-token=a%20b",
        }
        OtlpHttp(environment).send(spans, 10)
        OtlpHttp(environment).send(spans[:1], 10)
        (first, _) = receiver.inbox.requests()

    assert named(receiver) == ["a", "b", "a"]
    assert first.headers["x-token"] == "a b"
    assert first.headers["content-type"] == "application/x-protobuf"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(503), "HTTP Error 503"),
        (Answer(401), "HTTP Error 401"),
        # Not followed: nobody listens where it leads to.
        (Answer(307, headers={"Location": "http://127.0.0.1:9/"}), "HTTP Error 307"),
        (Answer(hang_up=True), "Remote end closed connection"),
    ],
)
def test_what_is_not_taken_is_an_error(spans, answer, error):
    with HttpReceiver(then=answer) as receiver:
        sender = OtlpHttp({"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url})
        with pytest.raises(OSError, match=error):
            sender.send(spans, 10)


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a/b/"}, "http://a/b/v1/traces"),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/c",
            },
            "http://b/c",
        ),
    ],
)
def test_the_endpoint_is_the_one_that_the_variables_mean(environment, endpoint):
    assert endpoint_of(environment) == endpoint
