"""`jupyter otel preview` says what leaves; the Collector's file says what left."""

import json
import subprocess
import sys
from datetime import datetime

import yaml
from traitlets.config import Config

from jupyter_otel.telemetry import Telemetry

SCHEMA_ID = "https://example.org/notes/saved/v1"
SCHEMA = {
    "$id": SCHEMA_ID,
    "version": 1,
    "type": "object",
    "required": ["action"],
    "properties": {
        "action": {"enum": ["save", "delete"]},
        "path": {"type": "string"},
        "author": {"type": "object", "properties": {"name": {"type": "string"}}},
        "duration_ms": {"type": "number"},
        "counts": {"type": "array", "items": {"type": "integer"}},
        "remark": {"type": ["string", "null"]},
    },
}
OVERLAY = {
    "schemas": {
        SCHEMA_ID: {
            "level": "usage",
            "group": "data",
            "properties": {
                "action": "operational",
                "path": "location",
                "author.name": "identity",
                "duration_ms": "operational",
                "counts": "operational",
                "remark": "free_text",
            },
            "severity": {"property": "action", "values": {"delete": "WARN"}},
            "span": {"duration_ms": "duration_ms", "name": "save", "kind": "internal"},
        }
    }
}
EVENTS = [
    {"action": "save", "path": "a/b.ipynb", "author": {"name": "Grace"}, "counts": [1]},
    {"action": "delete", "path": "ä/✓\ud83d\ude00.ipynb", "remark": None},
    {"action": "save", "duration_ms": 12, "counts": [], "undeclared": "stays here"},
    {"action": "save", "path": "", "remark": "free words stay here"},
]
MOMENT = "2026-03-01T12:00:00.250000+00:00"
# Made anew for each record.
UNLIKE = {"observedTimeUnixNano", "traceId", "spanId"}


def settings(folder):
    overlay = folder / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(OVERLAY))
    return {
        "OtelPolicy": {"level": "usage", "files": [str(overlay)]},
        "OtelConsent": {"mode": "mandatory"},
        "OtelRedaction": {"hash_key_file": str(folder / "hash_key")},
        "OtelSpool": {"directory": str(folder / "spool")},
    }


def preview(folder, written):
    """Return what the command prints for the events, line by line."""
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    (folder / "settings.json").write_text(json.dumps(written))
    lines = [
        json.dumps({"schema_id": SCHEMA_ID, "data": event, "timestamp": MOMENT})
        for event in EVENTS
    ]
    command = [sys.executable, "-m", "jupyter_otel.cli.main", "preview"]
    options = ["--register", folder / "schema.json", "--config", "settings.json"]
    done = subprocess.run(
        [*command, *options],
        cwd=folder,
        input="\n".join(lines),
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def send(written, gateway):
    config = Config(written)
    config.OtelExport.endpoint = gateway.endpoint("http/protobuf")
    with Telemetry(config) as telemetry:
        telemetry.register_schema(SCHEMA)
        for event in EVENTS:
            telemetry.emit(
                schema_id=SCHEMA_ID,
                data=event,
                timestamp=datetime.fromisoformat(MOMENT),
            )
        assert telemetry.flush(timeout_s=30), telemetry.status()


def comparable(record):
    """Return a record without what is made anew each time, attributes by name."""
    kept = {name: value for name, value in record.items() if name not in UNLIKE}
    named = {item["key"]: item["value"] for item in kept.pop("attributes")}
    named.pop("log.record.uid", None)
    return kept | {"attributes": named}


def test_what_preview_shows_is_what_the_collector_gets(gateway, tmp_path):
    written = settings(tmp_path)
    shown = preview(tmp_path, written)
    send(written, gateway)
    assert [line["exported"] for line in shown] == [True] * len(EVENTS)
    assert [comparable(line["log_record"]) for line in shown] == [
        comparable(record) for record in gateway.log_records()
    ]
    assert [comparable(line["span"]) for line in shown if "span" in line] == [
        comparable(span) for span in gateway.spans()
    ]


def test_what_preview_keeps_back_never_reaches_the_collector(gateway, tmp_path):
    send(settings(tmp_path), gateway)
    written = json.dumps(gateway.requests("logs"), ensure_ascii=False)
    for kept_back in ("a/b.ipynb", "Grace", "stays here", "free words", "✓"):
        assert kept_back not in written
