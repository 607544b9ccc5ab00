import json

import pytest
import yaml
from jsonschema import Draft202012Validator
from traitlets.config import Config

from jupyter_otel.catalog.files import schemas_root
from jupyter_otel.telemetry import Telemetry

SCHEMA_ID = "https://example.org/thing/v1"
SCHEMA = {
    "$id": SCHEMA_ID,
    "title": "A thing",
    "properties": {
        "tool": {"type": "string", "description": "Which tool."},
        "path": {"type": "string"},
        "secret": {"type": "string"},
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": {"n": {"type": "integer"}}},
        },
    },
}
RULES = {"tool": "operational", "path": "location", "rows.*.n": "operational"}


@pytest.fixture
def overlay(tmp_path):
    file = tmp_path / "ours.yaml"
    said = {"level": "usage", "group": "interface", "properties": RULES}
    file.write_text(yaml.safe_dump({"schemas": {SCHEMA_ID: said}}, sort_keys=False))
    return file


def shape():
    path = schemas_root() / "api" / "collected.schema.json"
    return Draft202012Validator(json.loads(path.read_text()))


@pytest.mark.parametrize("level", ["none", "operational", "usage", "audit"])
def test_what_is_told_has_its_shape_at_every_level(telemetry, level):
    told = telemetry(level=level).collected().to_json()

    assert list(shape().iter_errors(json.loads(json.dumps(told)))) == []
    assert bool(told["schemas"]) == (level != "none")


def test_every_property_is_told_with_its_action_and_the_rule_that_decided(
    telemetry, overlay
):
    running = telemetry(files=[str(overlay)])
    running.register_schema(SCHEMA)

    [thing] = [it for it in running.collected().schemas if it.id == SCHEMA_ID]

    assert (thing.title, thing.group, thing.mode) == ("A thing", "interface", "opt_in")
    assert thing.chosen_by == "OtelPolicy.level=usage"
    assert [
        (one.name, one.category, one.action, one.attribute, one.rule, one.description)
        for one in thing.properties
    ] == [
        (
            "tool",
            "operational",
            "allow",
            "jupyter.event.tool",
            f"tool: operational ({overlay.name}:6)",
            "Which tool.",
        ),
        (
            "path",
            "location",
            "hash",
            "jupyter.event.path",
            f"path: location ({overlay.name}:7)",
            None,
        ),
        ("secret", None, "drop", None, "unclassified", None),
        (
            "rows.*.n",
            "operational",
            "allow",
            "jupyter.event.rows",
            f"rows.*.n: operational ({overlay.name}:8)",
            None,
        ),
    ]


def test_a_schema_that_policy_refuses_is_not_among_what_is_collected(telemetry):
    running = telemetry(exclude=["*contents_service*"])

    ids = [schema.id for schema in running.collected().schemas]

    assert any("kernel_actions" in one for one in ids)
    assert not any("contents_service" in one for one in ids)


@pytest.mark.parametrize(
    ("identity", "added"),
    [("none", set()), ("hash", {"user.hash"}), ("name", {"user.name"})],
)
def test_what_is_added_says_how_people_are_named(telemetry, identity, added):
    told = telemetry(identity=identity).collected()

    assert {one.name for one in told.added if one.name.startswith("user.")} == added
    assert {"jupyter.schema.id", "service.name"} <= {one.name for one in told.added}


def test_the_key_is_named_by_its_id_and_never_shown(telemetry, tmp_path):
    told = telemetry().collected()

    key = (tmp_path / "hash_key").read_bytes()
    assert len(told.hash_key_id) == 8
    assert key.hex() not in json.dumps(told.to_json())


def test_a_destination_is_told_without_its_credentials(tmp_path):
    config = Config()
    config.OtelPolicy.level = "usage"
    config.OtelRedaction.hash_key_file = str(tmp_path / "key")
    config.OtelSpool.durability = "memory"
    config.OtelExport.endpoint = "https://jo:hunter2@localhost:1/x"
    config.OtelTraces.enabled = False

    with Telemetry(config) as running:
        told = running.collected().to_json()

    assert told["destinations"] == [
        {
            "signal": "logs",
            "kind": "otlp",
            "place": "https://localhost:1/x/v1/logs",
            "is_encrypted": True,
        }
    ]
    assert "hunter2" not in json.dumps(told)


def test_the_revision_changes_with_the_policy(telemetry):
    assert (
        telemetry().collected().revision
        != telemetry(identity="none").collected().revision
    )


def test_nothing_is_told_to_be_collected_where_nothing_runs(telemetry, monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    told = telemetry().collected()

    assert (told.level, told.schemas, told.added, told.destinations) == (
        "none",
        (),
        (),
        (),
    )
