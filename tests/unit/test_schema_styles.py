"""Every style of schema that is met in the wild, and the whole record of its event.

Only the uid and the time of observation are set aside. The administrator of these
tests collects everything and lets unclassified properties through, but for the
schemas that ship with overlays of ours: those are shown as they leave.
"""

import json
import re
from typing import Any, NamedTuple

import pytest
from traitlets.config import Config

from jupyter_otel.errors import SchemaError
from jupyter_otel.event import Attribution
from jupyter_otel.preview import Asked
from jupyter_otel.telemetry import Telemetry

TIME = 1_700_000_000_000_000_000
EVERYTHING = 'schemas: {"*": {level: operational, unclassified: allow}}'
ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"


class Style(NamedTuple):
    """A schema, an event of it, and what stands in the event's record."""

    schema: Any
    data: dict[str, Any]
    event_name: str
    body: str
    payload: list[Any]
    version: str | None = "1"
    dropped: int = 0


# ------------------------------------------------------------------ as OTLP/JSON


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def integer(key, value):
    return {"key": key, "value": {"intValue": str(value)}}


def double(key, value):
    return {"key": key, "value": {"doubleValue": value}}


def boolean(key, value):
    return {"key": key, "value": {"boolValue": value}}


def texts(key, *values):
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


@pytest.fixture
def telemetry(tmp_path):
    with open_telemetry(tmp_path, overlay=EVERYTHING) as opened:
        yield opened


def open_telemetry(folder, *, overlay="schemas: {}", level="usage", directories=()):
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


# ------------------------------------------------------------------------ styles

KEY_ID = "66687aad"
JO = f"{KEY_ID}:51b02e1f2e711a7cb64568830484ef98e9bac651b9b9ec152fb7b5ab728779b0"
PATH = f"{KEY_ID}:d5a7719a221f1fd00433b8f562b8d001567f5bae733f5c2aa9e8b2af71cf2ab0"
"""Of jo and of a/b.ipynb: HMAC-SHA-256 under 32 zero bytes."""
JO_SHORT, PATH_SHORT = f"{JO[:47]}…", f"{PATH[:47]}…"

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


STYLES = {
    "Draft 7": tool(
        {
            "text": {"type": "string"},
            "whole": {"type": "integer"},
            "number": {"type": "number"},
            "flag": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "pair": {
                "type": "array",
                "items": [{"type": "string"}, {"type": "integer"}],
            },
        },
        {
            "pair": ["a", 1],
            "tags": ["b", "c"],
            "flag": True,
            "number": 0.5,
            "whole": 7,
            "text": "é",
        },
        " text=é whole=7 number=0.5",
        [
            text("jupyter.event.text", "é"),
            integer("jupyter.event.whole", 7),
            double("jupyter.event.number", 0.5),
            boolean("jupyter.event.flag", True),
            texts("jupyter.event.tags", "b", "c"),
            text("jupyter.event.pair", '["a",1]'),
        ],
        **{"$schema": DRAFT_7},
    ),
    "Draft 2020-12": tool(
        {
            "where": {"$ref": "#/$defs/place", "description": "beside a $ref"},
            "pair": {
                "prefixItems": [{"type": "string"}, {"type": "string"}],
                "items": False,
            },
        },
        {"where": {"room": "a1", "seat": None}, "pair": ["b", "c"]},
        " room=a1",
        [
            text("jupyter.event.where.room", "a1"),
            texts("jupyter.event.pair", "b", "c"),
        ],
        **{
            "$schema": DRAFT_2020,
            "$defs": {
                "place": {
                    "type": "object",
                    "properties": {"room": {"type": "string"}, "seat": {}},
                }
            },
            "dependentRequired": {"pair": ["where"]},
            "unevaluatedProperties": False,
        },
    ),
    "id that is a URL of nowhere": named(
        "https://jupyter-x/y/events/z", "jupyter_x.y.z"
    ),
    "id that is a URN": named("urn:a:b", "urn.a.b"),
    "id of bare words": named("My tool", "my_tool"),
    "id with a plus": named(
        "https://example.org/c++/v2", "org.example.c__", version="2"
    ),
    "id with no version": named("https://example.org/a/b", "org.example.a.b"),
    "version as text": named("x/v9", "x", version="1.2", stated="1.2"),
    "version as integer": named("x/v9", "x", version="3", stated=3),
    "version only in the id": named("x/v9", "x", version="9"),
    "if, then, else": tool(
        {"kind": {"enum": ["file", "url"]}},
        {"kind": "file", "size": 3, "host": "h"},
        " kind=file size=3 host=h",
        [
            text("jupyter.event.kind", "file"),
            integer("jupyter.event.size", 3),
            text("jupyter.event.host", "h"),
        ],
        **{
            "if": {"properties": {"kind": {"const": "file"}}},
            "then": {"properties": {"size": {"type": "integer"}}, "required": ["size"]},
            "else": {"properties": {"host": {"type": "string"}}},
        },
    ),
    "not": tool(
        {"a": {"not": {"type": "string"}}},
        {"a": 1, "b": 2},
        " a=1",
        [integer("jupyter.event.a", 1)],
        **{"not": {"required": ["c"], "properties": {"b": {"type": "integer"}}}},
    ),
    "enum without type": tool(
        {"a": {"enum": ["x", 1, None]}, "b": {"enum": ["x", 1, None]}},
        {"a": "x", "b": 1},
        " a=x b=1",
        [text("jupyter.event.a", "x"), integer("jupyter.event.b", 1)],
    ),
    "type unions with null": tool(
        {
            "a": {"type": ["string", "null"]},
            "b": {"type": ["integer", "null"]},
            "c": {"type": ["object", "null"], "properties": {"d": {"type": "string"}}},
        },
        {"a": None, "b": 2, "c": None},
        " b=2",
        [integer("jupyter.event.b", 2)],
    ),
    "no type at all": tool(
        {"a": {}, "b": True, "c": {"description": "anything"}},
        {"a": "x", "b": [1, "two", None], "c": {"d": [1]}},
        " a=x",
        [
            text("jupyter.event.a", "x"),
            text("jupyter.event.b", '[1,"two",null]'),
            text("jupyter.event.c", '{"d":[1]}'),
        ],
    ),
    "free objects": tool(
        {"a": {"type": "object"}, "b": {"type": "object", "properties": {}}},
        {"a": {"deep": {"er": 1}, "list": [None]}, "b": {}, "undeclared": 1},
        "",
        [
            text("jupyter.event.a", '{"deep":{"er":1},"list":[null]}'),
            text("jupyter.event.b", "{}"),
        ],
    ),
    "arrays of objects": tool(
        {
            "cells": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"id": {"type": "string"}, "n": {"type": "integer"}},
                },
            }
        },
        {"cells": [{"id": "a", "n": 1, "secret": "s"}, {"n": 2}]},
        "",
        [text("jupyter.event.cells", '[{"id":"a","n":1},{"n":2}]')],
    ),
    "nested required": tool(
        {
            "user": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "home": {
                        "type": "object",
                        "required": ["drive"],
                        "properties": {"drive": {"type": "string"}},
                    },
                },
            }
        },
        {"user": {"name": "jo", "home": {"drive": "d"}, "undeclared": True}},
        " name=jo drive=d",
        [
            text("jupyter.event.user.name", "jo"),
            text("jupyter.event.user.home.drive", "d"),
        ],
    ),
    "default": tool(
        {"a": {"type": "string", "default": "never"}, "b": {"type": "string"}},
        {"b": "x"},
        " b=x",
        [text("jupyter.event.b", "x")],
    ),
    "$ref, allOf, anyOf, oneOf": tool(
        {"a": {"$ref": "#/definitions/word"}},
        {"a": "x", "b": 1, "c": True, "d": "y"},
        " a=x b=1 c=true",
        [
            text("jupyter.event.a", "x"),
            integer("jupyter.event.b", 1),
            boolean("jupyter.event.c", True),
            text("jupyter.event.d", "y"),
        ],
        definitions={"word": {"type": "string"}},
        allOf=[{"properties": {"b": {"type": "integer"}}}],
        anyOf=[{"properties": {"c": {"type": "boolean"}}}, {"required": ["never"]}],
        oneOf=[{"properties": {"d": {"type": "string"}}}, {"required": ["never"]}],
    ),
    "maps": tool(
        {
            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
            "flags": {
                "type": "object",
                "patternProperties": {"^is_": {"type": "boolean"}},
            },
        },
        {"counts": {"a": 1, "b": 2}, "flags": {"is_x": True}},
        "",
        [
            text("jupyter.event.counts", '{"a":1,"b":2}'),
            text("jupyter.event.flags", '{"is_x":true}'),
        ],
    ),
    "a schema within itself": tool(
        {"name": {"type": "string"}, "inner": {"$ref": "#"}},
        {"name": "a", "inner": {"name": "b", "inner": {"name": "c", "x": 1}}},
        " name=a name=b name=c",
        [
            text("jupyter.event.name", "a"),
            text("jupyter.event.inner.name", "b"),
            text("jupyter.event.inner.inner.name", "c"),
        ],
    ),
    "a dot in a name": tool(
        {
            "a.b": {"type": "string"},
            "a": {"type": "object", "properties": {"b": {"type": "string"}}},
        },
        {"a": {"b": "second"}, "a.b": "first"},
        " a.b=first",
        [text("jupyter.event.a.b", "first")],
    )._replace(dropped=1),
    "legacy categories": tool(
        {
            "a": {"type": "string", "categories": ["unrestricted"]},
            "b": {"type": "string", "categories": ["user-identifiable-information"]},
            "c": {"type": "string", "categories": ["user-identifiable-info"]},
            "d": {"type": "string", "categories": ["other", "unrestricted"]},
        },
        {"a": "x", "b": "jo", "c": "jo", "d": "y"},
        f" a=x b={JO_SHORT} c={JO_SHORT}",
        [
            text("jupyter.event.a", "x"),
            text("jupyter.event.b", JO),
            text("jupyter.event.c", JO),
            text("jupyter.event.d", "y"),
        ],
    ),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
def test_an_event_of_any_style_is_the_record_that_the_contract_says(telemetry, style):
    telemetry.register_schema(style.schema)
    schema_id = style.schema["$id"]

    shown = telemetry.preview(schema_id, style.data, timestamp=TIME)

    expected = {"exported": True, "log_record": record(schema_id, style)}
    assert set_aside(shown) == expected


# ------------------------------------------------------- where schemas come from

SIMPLE = named(TOOL, "org.example.tool", version="1")
AS_JSON = json.dumps(SIMPLE.schema)
AS_YAML = """
"$id": https://example.org/tool/v1
properties:
  a:
    type: string
"""


@pytest.mark.parametrize("suffix", [None, ".json", ".yaml", ".yml"])
@pytest.mark.parametrize("source", [AS_JSON, AS_YAML], ids=["JSON", "YAML"])
def test_a_schema_is_read_from_json_and_yaml_text_and_files(
    telemetry, tmp_path, source, suffix
):
    if suffix is not None:
        (tmp_path / f"tool{suffix}").write_text(source)
    telemetry.register_schema(source if suffix is None else tmp_path / f"tool{suffix}")

    shown = telemetry.preview(TOOL, {"a": "x"}, timestamp=TIME)

    assert set_aside(shown) == {"exported": True, "log_record": record(TOOL, SIMPLE)}


def test_an_administrators_folder_makes_its_schemas_known(tmp_path):
    folder = tmp_path / "schemas"
    (folder / "deeper").mkdir(parents=True)
    (folder / "deeper" / "tool.yaml").write_text(AS_YAML)

    with open_telemetry(tmp_path, overlay=EVERYTHING, directories=[folder]) as opened:
        shown = opened.preview(TOOL, {"a": "x"}, timestamp=TIME)

    assert set_aside(shown) == {"exported": True, "log_record": record(TOOL, SIMPLE)}


def test_a_schema_without_an_overlay_is_not_collected(tmp_path):
    with open_telemetry(tmp_path) as opened:
        opened.register_schema(SIMPLE.schema)
        shown = opened.preview(TOOL, {"a": "x"})

    assert shown == {"exported": False, "reason": "level"}


# ------------------------------------------------------ schemas that are not sound

BROKEN = {
    "unknown type": {"properties": {"a": {"type": "text"}}},
    "Draft 3 required": {"properties": {"a": {"required": True}}},
    "required that is no list": {"properties": {"a": {}}, "required": "a"},
    "a limit as text": {"properties": {"a": {"maxLength": "9"}}},
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_schema_that_breaks_its_draft_is_refused_from_applications(telemetry, body):
    with pytest.raises(SchemaError, match="is not a valid JSON Schema"):
        telemetry.register_schema({"$id": TOOL, **body})


def test_a_broken_schema_that_the_bus_took_is_reported_and_still_gives_records(
    telemetry, tmp_path
):
    body = {**SIMPLE.schema, "properties": {"a": {"type": "string", "maxLength": "9"}}}
    schema = telemetry.catalog.adopt(body, "event logger")
    from_the_bus = Attribution(time_ns=TIME, validated=True)

    assert telemetry.intake.emit(schema, SIMPLE.data, from_the_bus)
    assert telemetry.flush()

    assert written(tmp_path) == record(TOOL, SIMPLE)
    broken, slow = telemetry.catalog.warnings
    assert broken.startswith("event logger: not a valid JSON Schema: at /properties/a")
    assert slow.startswith(f"{TOOL}: jsonschema-rs refuses the schema: ")


def written(folder):
    """Return the one log record in the embedded default's file."""
    (line,) = (folder / "export" / "logs.jsonl").read_text().splitlines()
    (resource,) = json.loads(line)["resourceLogs"]
    (scope,) = resource["scopeLogs"]
    (log_record,) = scope["logRecords"]
    return set_aside({"log_record": log_record})["log_record"]


def test_a_schema_that_only_jsonschema_compiles_is_judged_slowly_and_reported(
    telemetry,
):
    style = tool(
        {"a": {"type": "string", "pattern": "^(?P<x>a)(?P=x)\\Z"}},
        {"a": "aa"},
        " a=aa",
        [text("jupyter.event.a", "aa")],
    )
    telemetry.register_schema(style.schema)

    shown = telemetry.preview(TOOL, style.data, timestamp=TIME)
    refused = telemetry.preview(TOOL, {"a": "ab"})

    assert set_aside(shown) == {"exported": True, "log_record": record(TOOL, style)}
    assert refused == {"exported": False, "reason": "invalid"}
    (warning,) = telemetry.catalog.warnings
    assert warning.startswith(f"{TOOL}: jsonschema-rs refuses the schema: ")


def test_one_id_with_two_bodies_is_two_schemas_each_with_its_own_records(telemetry):
    def twin(package, kind):
        body = {"$id": TOOL, "properties": {"a": {"type": kind}}}
        return telemetry.catalog.register(body, origin=package, package=package)

    schemas = [twin("one", "string"), twin("two", "integer")]

    shown = [
        set_aside(
            telemetry._preview().preview(schema, {"a": value}, Asked(time_ns=TIME))
        )
        for schema, value in zip(schemas, ["x", 2], strict=True)
    ]

    second = SIMPLE._replace(
        payload=[integer("jupyter.event.a", 2)], body="org.example.tool a=2"
    )
    assert shown == [
        {"exported": True, "log_record": record(TOOL, SIMPLE, "one")},
        {"exported": True, "log_record": record(TOOL, second, "two")},
    ]
    assert telemetry.catalog.find(TOOL) is schemas[1]
    (warning,) = telemetry.catalog.warnings
    assert warning == (
        f"{TOOL} has two bodies, one from one and one from two; both are kept, each "
        "for the events of its own origin"
    )


@pytest.mark.parametrize(
    "reference",
    ["https://example.org/other/v1", "other.json", "#/definitions/none", "//h/x#y"],
)
def test_a_reference_out_of_the_schema_is_refused(telemetry, reference):
    body = {"$id": TOOL, "properties": {"a": {"$ref": reference}}}

    with pytest.raises(SchemaError, match="leads out of the schema"):
        telemetry.register_schema(body)


# ------------------------------------------- what a stock installation emits


class Stock(NamedTuple):
    """An event of a schema with an overlay of ours, and its record."""

    schema_id: str
    package: str | None
    level: str
    data: dict[str, Any]
    event_name: str
    body: str
    payload: list[Any]
    severity: tuple[str, int] = ("INFO", 9)

    @property
    def style(self):
        """The same without where it comes from."""
        body = self.event_name + self.body
        return Style(None, self.data, self.event_name, body, self.payload)


SERVER = "https://events.jupyter.org/jupyter_server/"
EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
COLLABORATION = "https://schema.jupyter.org/jupyter_collaboration/"

STOCK = [
    Stock(
        SERVER + "contents_service/v1",
        "jupyter_server",
        "usage",
        {"action": "save", "path": "a/b.ipynb", "undeclared": 1},
        "jupyter_server.contents_service",
        f" action=save path={PATH_SHORT}",
        [text("jupyter.event.action", "save"), text("jupyter.event.path", PATH)],
    ),
    Stock(
        SERVER + "contents_service/v1",
        "jupyter_server",
        "audit",
        {"action": "rename", "path": "a/c.ipynb", "source_path": "a/b.ipynb"},
        "jupyter_server.contents_service",
        " action=rename path=a/c.ipynb source_path=a/b.ipynb",
        [
            text("jupyter.event.action", "rename"),
            text("jupyter.event.path", "a/c.ipynb"),
            text("jupyter.event.source_path", "a/b.ipynb"),
        ],
    ),
    Stock(
        SERVER + "kernel_actions/v1",
        "jupyter_server",
        "operational",
        {"action": "start", "status": "error", "status_code": 500, "msg": "/home/jo"},
        "jupyter_server.kernel_actions",
        " action=start status=error status_code=500",
        [
            text("jupyter.event.action", "start"),
            text("jupyter.event.status", "error"),
            integer("jupyter.event.status_code", 500),
        ],
        ("ERROR", 17),
    ),
    Stock(
        SERVER + "gateway_client/v1",
        "jupyter_server",
        "audit",
        {
            "status": "success",
            "msg": "hi",
            "status_code": 200,
            "gateway_url": "http://g",
        },
        "jupyter_server.gateway_client",
        " status=success status_code=200 msg=hi",
        [
            text("jupyter.event.status", "success"),
            integer("jupyter.event.status_code", 200),
            text("jupyter.event.msg", "hi"),
            text("jupyter.event.gateway_url", "http://g"),
        ],
    ),
    Stock(
        "https://schema.jupyter.org/jupyterhub/events/server-action",
        "jupyterhub",
        "operational",
        {"action": "start", "username": "jo", "servername": "thesis"},
        "jupyterhub.server_action",
        f" action=start username={JO_SHORT}",
        [text("jupyter.event.action", "start"), text("jupyter.event.username", JO)],
    ),
    Stock(
        COLLABORATION + "session/v1",
        "jupyter_server_ydoc",
        "audit",
        {"level": "WARNING", "room": "r", "path": "a/b.ipynb", "msg": "mail jo@x.org"},
        "jupyter_collaboration.session",
        " level=WARNING room=r path=a/b.ipynb",
        [
            text("jupyter.event.level", "WARNING"),
            text("jupyter.event.room", "r"),
            text("jupyter.event.path", "a/b.ipynb"),
            text("jupyter.event.msg", "mail [email]"),
        ],
        ("WARN", 13),
    ),
    Stock(
        COLLABORATION + "awareness/v1",
        "jupyter_server_ydoc",
        "usage",
        {"roomid": "r", "username": "jo", "action": "join", "msg": "hello"},
        "jupyter_collaboration.awareness",
        f" roomid=r username={JO_SHORT} action=join",
        [
            text("jupyter.event.roomid", "r"),
            text("jupyter.event.username", JO),
            text("jupyter.event.action", "join"),
        ],
    ),
    Stock(
        COLLABORATION + "fork/v1",
        "jupyter_server_ydoc",
        "usage",
        {
            "fork_roomid": "f",
            "fork_info": {
                "root_roomid": "r",
                "synchronize": False,
                "title": "t",
                "description": "d",
            },
            "username": "jo",
            "action": "create",
        },
        "jupyter_collaboration.fork",
        " fork_roomid=f root_roomid=r synchronize=false",
        [
            text("jupyter.event.fork_roomid", "f"),
            text("jupyter.event.fork_info.root_roomid", "r"),
            boolean("jupyter.event.fork_info.synchronize", False),
            text("jupyter.event.username", JO),
            text("jupyter.event.action", "create"),
        ],
    ),
    Stock(
        EXECUTION,
        "jupyter-otel",
        "usage",
        {"phase": "started", "code": "x = 1", "code_lines": 1, "cell_id": "c"},
        "jupyter_otel.execution",
        " phase=started code_lines=1 cell_id=c",
        [
            text("jupyter.event.phase", "started"),
            integer("jupyter.event.code_lines", 1),
            text("jupyter.cell.id", "c"),
        ],
    ),
]


@pytest.mark.parametrize(
    "stock", STOCK, ids=lambda stock: f"{stock.event_name}-{stock.level}"
)
def test_what_a_stock_installation_emits_leaves_as_its_overlay_says(tmp_path, stock):
    with open_telemetry(tmp_path, level=stock.level) as opened:
        shown = opened.preview(stock.schema_id, stock.data, timestamp=TIME)

    expected = record(stock.schema_id, stock.style, stock.package, stock.severity)
    assert set_aside(shown) == {"exported": True, "log_record": expected}


def test_a_finished_execution_is_a_record_and_a_span_with_the_same_ids(tmp_path):
    data = {
        "phase": "finished",
        "status": "error",
        "error_name": "NameError",
        "queued_ms": 0.5,
        "duration_ms": 12,
        "code": "1 / 0",
        "output_count": 1,
        "notebook_path": "a/b.ipynb",
        "kernel_id": "k",
    }

    with open_telemetry(tmp_path, level="usage") as opened:
        shown = set_aside(opened.preview(EXECUTION, data, timestamp=TIME))

    trace_id, span_id = shown["span"].pop("traceId"), shown["span"].pop("spanId")
    payload = [
        text("jupyter.event.phase", "finished"),
        text("jupyter.event.status", "error"),
        text("jupyter.event.error_name", "NameError"),
        double("jupyter.event.queued_ms", 0.5),
        integer("jupyter.event.duration_ms", 12),
        integer("jupyter.event.output_count", 1),
        text("jupyter.notebook.path", PATH),
        text("jupyter.kernel.id", "k"),
        text("error.type", "NameError"),
    ]
    style = Style(
        None,
        data,
        "jupyter_otel.execution",
        "jupyter_otel.execution phase=finished status=error error_name=NameError",
        payload,
    )
    log_record = record(EXECUTION, style, "jupyter-otel", ("ERROR", 17))
    assert re.fullmatch("[0-9a-f]{32}", trace_id)
    assert re.fullmatch("[0-9a-f]{16}", span_id)
    assert shown == {
        "exported": True,
        "log_record": {
            **log_record,
            "traceId": trace_id,
            "spanId": span_id,
            "flags": 1,
        },
        "span": {
            "name": "execute",
            "kind": 1,
            "startTimeUnixNano": str(TIME - 12_000_000),
            "endTimeUnixNano": str(TIME),
            "attributes": log_record["attributes"],
            "status": {"code": 2},
            "flags": 256,
        },
    }
