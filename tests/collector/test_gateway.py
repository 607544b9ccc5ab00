"""What goes into `Telemetry` against what the Collector wrote to its files."""

from datetime import UTC, datetime

import pytest
import requests
import yaml
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from traitlets.config import Config

from jupyter_otel.telemetry import Telemetry

PROTOCOLS = ("http/protobuf", "http/json", "grpc")
SCHEMA_ID = "https://example.org/lab-tools/run/v2"
HAPPENED = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
HAPPENED_NS = 1_772_366_400_250_000_000
SCHEMA = {
    "$id": SCHEMA_ID,
    "version": "2",
    "type": "object",
    "properties": {
        "tool": {"type": "string"},
        "status": {"enum": ["ok", "error"]},
        "duration_ms": {"type": "number"},
        "big": {"type": "integer"},
        "dry": {"type": "boolean"},
        "where": {
            "type": "object",
            "properties": {"row": {"type": "integer"}, "note": {"type": "string"}},
        },
        "sizes": {"type": "array", "items": {"type": "integer"}},
        "options": {"type": "object"},
        "title": {"type": "string"},
        "secret": {"type": "string"},
        "code": {"type": "integer"},
    },
}
OVERLAY = {
    "schemas": {
        SCHEMA_ID: {
            "level": "usage",
            "group": "operations",
            "properties": {
                "**": "operational",
                "title": {"category": "free_text", "action": "mask"},
                "secret": "content",
                "code": {"category": "operational", "attribute": "process.exit.code"},
            },
            "severity": {"property": "status", "values": {"error": "ERROR"}},
            "span": {
                "duration_ms": "duration_ms",
                "name": "run",
                "kind": "internal",
                "error": {
                    "property": "status",
                    "values": ["error"],
                    "type": ["status"],
                },
            },
        }
    }
}
EVENT = {
    "tool": 'nbgrader ✓ "quoted"\n',
    "status": "error",
    "duration_ms": 1250.5,
    "big": 2**63 - 1,
    "dry": False,
    "where": {"row": -3, "note": ""},
    "sizes": [1, 2, 3],
    "options": {"deep": {"er": [None, 1.5]}},
    "title": "my private title",
    "secret": "print(password)",
    "code": 3,
}


def text(value):
    return {"stringValue": value}


def whole(value):
    return {"intValue": str(value)}


PAYLOAD = {
    "jupyter.event.tool": text(EVENT["tool"]),
    "jupyter.event.status": text("error"),
    "jupyter.event.duration_ms": {"doubleValue": 1250.5},
    "jupyter.event.big": whole(2**63 - 1),
    "jupyter.event.dry": {"boolValue": False},
    "jupyter.event.where.row": whole(-3),
    "jupyter.event.where.note": text(""),
    "jupyter.event.sizes": {"arrayValue": {"values": [whole(1), whole(2), whole(3)]}},
    "jupyter.event.options": text('{"deep":{"er":[null,1.5]}}'),
    "jupyter.event.title": text("***"),
    "process.exit.code": whole(3),
    "error.type": text("error"),
}
FRAME = {
    "otel.event.name": text("org.example.lab_tools.run"),
    "jupyter.schema.id": text(SCHEMA_ID),
    "jupyter.schema.version": text("2"),
    "jupyter.source": text("app"),
    "jupyter.trust": text("server"),
}

BODY = (
    'org.example.lab_tools.run tool=nbgrader ✓ "quoted" status=error duration_ms=1250.5'
)


@pytest.fixture
def config(tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(OVERLAY))
    config = Config()
    config.OtelPolicy.level = "usage"
    config.OtelPolicy.files = [str(overlay)]
    config.OtelConsent.mode = "mandatory"
    config.OtelRedaction.hash_key_file = str(tmp_path / "hash_key")
    config.OtelSpool.directory = str(tmp_path / "spool")
    return config


def send(config, gateway, protocol, events=((EVENT, HAPPENED),)):
    """Emit events and return once the gateway has acknowledged their records."""
    config.OtelExport.endpoint = gateway.endpoint(protocol)
    config.OtelExport.protocol = protocol
    with Telemetry(config) as telemetry:
        telemetry.register_schema(SCHEMA)
        for data, timestamp in events:
            assert telemetry.emit(schema_id=SCHEMA_ID, data=data, timestamp=timestamp)
        assert telemetry.flush(timeout_s=30), telemetry.status()
        return telemetry.tally()


def attributes(record):
    """Return a record's attributes by name, after checking that none comes twice."""
    named = {item["key"]: item["value"] for item in record["attributes"]}
    assert len(named) == len(record["attributes"])
    return named


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_field_of_a_log_record_comes_out_as_it_went_in(gateway, config, protocol):
    tally = send(config, gateway, protocol)
    (record,) = gateway.log_records()
    (span,) = gateway.spans()
    assert (tally.logs.accepted, tally.logs.sent) == (1, 1)
    found = attributes(record)
    assert len(found.pop("log.record.uid")["stringValue"]) == 26
    assert found == FRAME | PAYLOAD
    assert int(record.pop("observedTimeUnixNano")) > HAPPENED_NS
    assert record.pop("attributes")
    assert record == {
        "timeUnixNano": str(HAPPENED_NS),
        "severityNumber": 17,
        "severityText": "ERROR",
        "eventName": "org.example.lab_tools.run",
        "body": text(BODY),
        "traceId": span["traceId"],
        "spanId": span["spanId"],
        "flags": 1,
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_field_of_a_span_comes_out_as_it_went_in(gateway, config, protocol):
    tally = send(config, gateway, protocol)
    (span,) = gateway.spans()
    assert (tally.traces.accepted, tally.traces.sent) == (1, 1)
    (record,) = gateway.log_records()
    assert span.pop("attributes") == record["attributes"]
    assert (len(span.pop("traceId")), len(span.pop("spanId"))) == (32, 16)
    assert span == {
        "name": "run",
        "kind": 1,
        "startTimeUnixNano": str(HAPPENED_NS - 1_250_500_000),
        "endTimeUnixNano": str(HAPPENED_NS),
        "status": {"code": 2},
        "flags": 256,  # known not to have a remote parent
    }


def test_resource_and_scope_say_which_process_and_which_source(gateway, config):
    send(config, gateway, "http/protobuf")
    (request,) = gateway.requests("logs")
    (resource,) = request["resourceLogs"]
    (scope,) = resource["scopeLogs"]
    named = attributes(resource["resource"])
    assert named["service.name"] == text("jupyter-otel")
    assert named["telemetry.sdk.language"] == text("python")
    assert "service.instance.id" in named
    assert scope["scope"]["name"] == "jupyter_otel.app"


def test_a_thousand_events_arrive_once_each_and_the_books_say_so(gateway, config):
    events = [({**EVENT, "code": number}, HAPPENED) for number in range(1000)]
    tally = send(config, gateway, "http/protobuf", events)
    codes = [attributes(it)["process.exit.code"] for it in gateway.log_records()]
    assert codes == [whole(number) for number in range(1000)]
    assert len(gateway.spans()) == 1000
    assert (tally.logs.accepted, tally.logs.sent) == (1000, 1000)


def test_what_is_no_jupyter_event_stops_at_the_gateway(gateway, config):
    foreign = ExportLogsServiceRequest()
    scope = foreign.resource_logs.add().scope_logs.add()
    scope.log_records.add().body.string_value = "from somebody's notebook"
    answer = requests.post(
        f"http://{gateway.http}/v1/logs",
        data=foreign.SerializeToString(),
        headers={"content-type": "application/x-protobuf"},
        timeout=10,
    )
    assert answer.status_code == 200
    send(config, gateway, "http/protobuf")
    (record,) = gateway.log_records()
    assert record["eventName"] == "org.example.lab_tools.run"
