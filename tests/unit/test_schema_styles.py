"""Every style of schema that is met in the wild, and the whole record of its event."""

import pytest

from tests.unit.records import (
    DRAFT_7,
    DRAFT_2020,
    EVERYTHING,
    JO,
    JO_SHORT,
    TIME,
    boolean,
    double,
    integer,
    named,
    open_telemetry,
    record,
    set_aside,
    text,
    texts,
    tool,
)


def chain(first, last):
    """Return objects within each other, numbered."""
    inner = {"inner": chain(first + 1, last)} if first < last else {}
    return {"n": first, **inner}


DEEPER = '{"n":17,"inner":{"n":18,"inner":{"n":19}}}'
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
    "a schema within itself, deeper than 16 levels": tool(
        {"n": {"type": "integer"}, "inner": {"$ref": "#"}},
        chain(1, 19),
        " n=1 n=2 n=3",
        [
            *(
                integer(f"jupyter.event.{'inner.' * level}n", level + 1)
                for level in range(16)
            ),
            text(f"jupyter.event.{'.'.join(['inner'] * 16)}", DEEPER),
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


@pytest.fixture
def telemetry(tmp_path):
    with open_telemetry(tmp_path, overlay=EVERYTHING) as opened:
        yield opened
