"""OTLP's three services: their messages, and how each counts what it refused."""

from typing import Any, NamedTuple

from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from jupyter_otel.export.verdicts import Sent
from jupyter_otel.tally import Signal


class Service(NamedTuple):
    """One signal's service, from the official protocol definitions."""

    request: Any
    """The class of its request message."""
    response: Any
    rejected_field: str
    """Where ``partial_success`` counts what was refused."""
    grpc_method: str


def _service(module: Any, prefix: str, items: str) -> Service:
    name = f"{prefix}Service"
    full_name = module.DESCRIPTOR.services_by_name[name].full_name
    return Service(
        request=getattr(module, f"Export{prefix}ServiceRequest"),
        response=getattr(module, f"Export{prefix}ServiceResponse"),
        rejected_field=f"rejected_{items}",
        grpc_method=f"/{full_name}/Export",
    )


SERVICES = {
    Signal.LOGS: _service(logs_service_pb2, "Logs", "log_records"),
    Signal.TRACES: _service(trace_service_pb2, "Trace", "spans"),
    Signal.METRICS: _service(metrics_service_pb2, "Metrics", "data_points"),
}


def read_response(signal: Signal, response: Any, records: int) -> Sent:
    """Return what a service's response says about a request of so many records."""
    partial = response.partial_success
    rejected = getattr(partial, SERVICES[signal].rejected_field)
    return Sent(min(max(rejected, 0), records), partial.error_message)


def parse_response(
    signal: Signal, body: bytes, content_type: str, records: int
) -> Sent:
    """Return what an HTTP answer's body says; nothing, where it cannot be read."""
    response = SERVICES[signal].response()
    try:
        if content_type.partition(";")[0].strip().lower() == "application/json":
            json_format.Parse(body, response, ignore_unknown_fields=True)
        else:
            response.ParseFromString(body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError):
        return Sent()
    return read_response(signal, response, records)
