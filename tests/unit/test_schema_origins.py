"""Where schemas come from, and what becomes of those that are not sound."""

import json

import pytest

from jupyter_otel.errors import SchemaError
from jupyter_otel.event import Attribution
from jupyter_otel.preview import Asked
from tests.unit.records import (
    EVERYTHING,
    TIME,
    TOOL,
    integer,
    named,
    open_telemetry,
    record,
    set_aside,
    text,
    tool,
)

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
    assert refused == {
        "exported": False,
        "reason": "invalid",
        "error": "/a: pattern",
    }
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


@pytest.fixture
def telemetry(tmp_path):
    with open_telemetry(tmp_path, overlay=EVERYTHING) as opened:
        yield opened
