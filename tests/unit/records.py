"""Records as OTLP/JSON, for tests that assert whole ones.

Only the uid and the time of observation are set aside. `open_telemetry` gives what an
administrator would run, without a spool on disk.
"""

import re
from typing import Any, NamedTuple

from traitlets.config import Config

from jupyter_otel.telemetry import Telemetry

TIME = 1_700_000_000_000_000_000
EVERYTHING = 'schemas: {"*": {level: operational, unclassified: allow}}'
"""An overlay that collects every schema and lets unclassified properties through."""
ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

KEY_ID = "66687aad"
JO = f"{KEY_ID}:51b02e1f2e711a7cb64568830484ef98e9bac651b9b9ec152fb7b5ab728779b0"
PATH = f"{KEY_ID}:d5a7719a221f1fd00433b8f562b8d001567f5bae733f5c2aa9e8b2af71cf2ab0"
"""Of jo and of a/b.ipynb: HMAC-SHA-256 under 32 zero bytes."""
JO_SHORT, PATH_SHORT = f"{JO[:47]}…", f"{PATH[:47]}…"


class Style(NamedTuple):
    """A schema, an event of it, and what stands in the event's record."""

    schema: Any
    data: dict[str, Any]
    event_name: str
    body: str
    payload: list[Any]
    version: str | None = "1"
    dropped: int = 0


def text(key, value):
    """Return a text attribute."""
    return {"key": key, "value": {"stringValue": value}}


def integer(key, value):
    """Return an integer attribute; OTLP/JSON writes its value as text."""
    return {"key": key, "value": {"intValue": str(value)}}


def double(key, value):
    """Return a floating point attribute."""
    return {"key": key, "value": {"doubleValue": value}}


def boolean(key, value):
    """Return a boolean attribute."""
    return {"key": key, "value": {"boolValue": value}}


def texts(key, *values):
    """Return an attribute that is an array of texts."""
    items = [{"stringValue": value} for value in values]
    return {"key": key, "value": {"arrayValue": {"values": items}}}


def record(schema_id, style, package=None, severity=("INFO", 9)):
    """Return the whole log record of an event of a style."""
    origin = [text("jupyter.schema.version", style.version)] if style.version else []
    origin += [text("jupyter.schema.package", package)] if package else []
    return {
        "timeUnixNano": str(TIME),
        "severityNumber": severity[1],
        "severityText": severity[0],
        "body": {"stringValue": style.body},
        "attributes": [
            text("otel.event.name", style.event_name),
            text("jupyter.schema.id", schema_id),
            *origin,
            text("jupyter.source", "app"),
            text("jupyter.trust", "server"),
            *style.payload,
        ],
        **({"droppedAttributesCount": style.dropped} if style.dropped else {}),
        "eventName": style.event_name,
    }


def set_aside(shown):
    """Take the uid and the observed time out of a record, after a look at them."""
    for key in ("log_record", "span"):
        if key not in shown:
            continue
        attributes = shown[key]["attributes"]
        (uid,) = [pair for pair in attributes if pair["key"] == "log.record.uid"]
        assert re.fullmatch(ULID, uid["value"]["stringValue"])
        attributes.remove(uid)
    assert shown["log_record"].pop("observedTimeUnixNano").isdigit()
    return shown


def open_telemetry(folder, *, overlay="schemas: {}", level="usage", directories=()):
    """Return a telemetry with one overlay, hashing under 32 zero bytes."""
    (folder / "overlay.yaml").write_text(overlay)
    (folder / "key").write_bytes(bytes(32))
    return Telemetry(
        Config(
            OtelPolicy={
                "level": level,
                "files": [str(folder / "overlay.yaml")],
                "schema_directories": [str(path) for path in directories],
            },
            OtelRedaction={"hash_key_file": str(folder / "key")},
            OtelExport={"directory": str(folder / "export")},
            OtelSpool={"durability": "memory"},
        )
    )


TOOL = "https://example.org/tool/v1"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


def tool(properties, data, body, payload, **keywords):
    """A style whose id and version are of no interest."""
    schema = {
        "$id": TOOL,
        "version": "1",
        "type": "object",
        "properties": properties,
        **keywords,
    }
    return Style(schema, data, "org.example.tool", "org.example.tool" + body, payload)


def named(schema_id, event_name, version=None, stated=None):
    """A style that is about id and version only."""
    schema = {"$id": schema_id, "properties": {"a": {"type": "string"}}}
    if stated is not None:
        schema["version"] = stated
    payload = [text("jupyter.event.a", "x")]
    return Style(schema, {"a": "x"}, event_name, f"{event_name} a=x", payload, version)
