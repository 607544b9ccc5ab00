"""What the relay changes in a request: the protocol's own classes are the oracle."""

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from jupyter_otel.sources.otlp_relay import stamp, stamps
from jupyter_otel.tally import Signal

TRACE_ID, SPAN_ID = "dHR0dHR0dHR0dHR0dHR0dA==", "c3Nzc3Nzc3M="
OURS = stamps("k1", ("user.hash", "abc"))
FORGED = (
    "user.name",
    "user.hash",
    "user.id",
    "User.Name",
    "user_hash",
    "user-name",
    "jupyter",
    "jupyter.trust",
    "JUPYTER.source",
    " jupyter.kernel.id",
    "jupyter_trust",
    "jupyter-schema.id",
)
KEPT = ("user", "user_id", "username", "users.all", "jupyterlab", "my.jupyter.trust")


def pairs(*names):
    return [{"key": name, "value": {"stringValue": "x"}} for name in names]


def request_of(signal, names, *, resource_names=None):
    """Return a request that has these attributes wherever attributes can stand."""
    found = pairs(*names)
    ids = {"traceId": TRACE_ID, "spanId": SPAN_ID}
    exemplar = {"filteredAttributes": found, **ids}
    point = {"attributes": found, "exemplars": [exemplar]}
    records = {
        Signal.LOGS: ("Logs", "logRecords", [{"attributes": found, **ids}]),
        Signal.TRACES: (
            "Spans",
            "spans",
            [
                {
                    "attributes": found,
                    "events": [{"attributes": found}],
                    "links": [{"attributes": found, **ids}],
                    **ids,
                }
            ],
        ),
        Signal.METRICS: (
            "Metrics",
            "metrics",
            [
                {"metadata": found, "sum": {"dataPoints": [point]}},
                {"gauge": {"dataPoints": [point]}},
                {"histogram": {"dataPoints": [point]}},
                {"exponentialHistogram": {"dataPoints": [point]}},
                {"summary": {"dataPoints": [{"attributes": found}]}},
                {"name": "without points"},
            ],
        ),
    }
    layer, items, made = records[signal]
    kinds = {
        Signal.LOGS: ExportLogsServiceRequest,
        Signal.TRACES: ExportTraceServiceRequest,
        Signal.METRICS: ExportMetricsServiceRequest,
    }
    scope = {"scope": {"name": "mine", "attributes": found}, items: made}
    of_resource = found if resource_names is None else resource_names
    resource = {"resource": {"attributes": of_resource}, f"scope{layer}": [scope]}
    return ParseDict({f"resource{layer}": [resource, resource]}, kinds[signal]())


@pytest.mark.parametrize("signal", Signal)
def test_reserved_names_go_everywhere_and_ours_stand_on_the_resource(signal):
    request = request_of(signal, FORGED + KEPT)

    assert stamp(signal, request, OURS)
    ours = [
        {"key": name, "value": {"stringValue": value}} for name, value in OURS.items()
    ]
    assert request == request_of(signal, KEPT, resource_names=[*pairs(*KEPT), *ours])


def test_a_kernel_of_nobody_known_names_nobody():
    assert stamps("k1", None) == {
        "jupyter.source": "kernel",
        "jupyter.trust": "client",
        "jupyter.kernel.id": "k1",
    }


def one_log(**changes):
    made = {"scope": {"name": "mine"}, "logRecords": [changes]}
    return ParseDict(
        {"resourceLogs": [{"scopeLogs": [made]}]}, ExportLogsServiceRequest()
    )


def stamped_log(request):
    assert stamp(Signal.LOGS, request, {})
    return request.resource_logs[0].scope_logs[0]


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("jupyter_otel.sign_in", ""),
        ("jupyterhub.server_action", ""),
        ("Jupyter.x", ""),
        ("jupyter_otel", ""),
        ("jupyterlike.x", "jupyterlike.x"),
        ("com.example.sold", "com.example.sold"),
    ],
)
def test_no_event_of_ours_can_be_named(name, left):
    attribute = {"key": "otel.event.name", "value": {"stringValue": name}}
    request = one_log(eventName=name, attributes=[attribute])

    [record] = stamped_log(request).log_records

    assert record.event_name == left
    assert len(record.attributes) == (1 if left else 0)


def test_no_scope_of_ours_can_be_named():
    request = one_log()
    scope = request.resource_logs[0].scope_logs[0].scope

    scope.name = "jupyter_otel.server"
    assert stamped_log(request).scope.name == ""
    scope.name = "jupyter_otel_kernel"
    assert stamped_log(request).scope.name == "jupyter_otel_kernel"


def test_a_map_that_would_be_written_flat_is_taken_out():
    nested = {"kvlistValue": {"values": pairs("name")}}
    request = one_log(attributes=[{"key": "user", "value": nested}])

    assert list(stamped_log(request).log_records[0].attributes) == []


@pytest.mark.parametrize(
    "ids",
    [
        {"traceId": "c2hvcnQ="},
        {"spanId": SPAN_ID},
        {"traceId": TRACE_ID, "spanId": TRACE_ID},
    ],
)
def test_ids_that_are_none_are_told(ids):
    assert not stamp(Signal.LOGS, one_log(**ids), {})


@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"traceId": TRACE_ID},
        {"traceId": TRACE_ID, "spanId": SPAN_ID, "parentSpanId": TRACE_ID},
        {
            "traceId": TRACE_ID,
            "spanId": SPAN_ID,
            "links": [{"traceId": "c2hvcnQ=", "spanId": SPAN_ID}],
        },
    ],
)
def test_a_span_without_ids_is_told(ids):
    resource = {"scopeSpans": [{"spans": [ids]}]}
    request = ParseDict({"resourceSpans": [resource]}, ExportTraceServiceRequest())

    assert not stamp(Signal.TRACES, request, {})


def test_a_log_record_may_belong_to_a_trace_and_to_no_span():
    assert stamp(Signal.LOGS, one_log(traceId=TRACE_ID), {})
    assert stamp(Signal.LOGS, one_log(), {})
