import jsonschema_rs
import pytest
import yaml

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.catalog.files import schemas_root
from jupyter_otel.catalog.overlay_rules import read_path
from jupyter_otel.catalog.overlays import Overlays, our_overlays, read_overlay
from jupyter_otel.errors import SchemaError
from jupyter_otel.schema import (
    Action,
    AggregateRule,
    Category,
    Group,
    Level,
    NamePart,
    Overlay,
    PropertyRule,
    SeverityRule,
    SpanError,
    SpanRule,
)

EVERYTHING = """\
schemas:
  "https://example.org/tools/run/v1":
    level: usage
    group: extensions
    control_plane: true
    unclassified: allow
    properties:
      tool: operational
      user.name: identity
      args.**: content
      status_code: {category: operational, attribute: http.response.status_code}
      note: {category: free_text, action: scrub}
      cell: {category: content, code: true}
      http\\.url: {action: drop}
    severity: {property: result.status, values: {error: ERROR, 404: WARN, true: DEBUG}}
    span:
      name: run {tool} at {a.b\\.c}
      kind: client
      start: {phase.of: begin}
      end: {'phase\\.of': end}
      key: [run_id]
      error:
        property: status
        values: [error, false, 404.0, ""]
        type: [error_name, status]
    aggregate: {by: [tool, user.name], window_s: 60}
    sample: 0.5
"""


def about(schema_id, *paths):
    return Overlays(read_overlay(path) for path in paths).about(schema_id)


def test_every_key_of_the_format_is_read(overlay_file):
    found = about("https://example.org/tools/run/v1", overlay_file(EVERYTHING))

    code, identity = Category.OPERATIONAL, Category.IDENTITY
    url = "http.response.status_code"
    assert found == Overlay(
        known=True,
        level=Level.USAGE,
        group=Group.EXTENSIONS,
        control_plane=True,
        allow_unclassified=True,
        properties=(
            PropertyRule(("tool",), code, None, None, "overlay.yaml:8"),
            PropertyRule(("user", "name"), identity, None, None, "overlay.yaml:9"),
            PropertyRule(
                ("args", "**"), Category.CONTENT, None, None, "overlay.yaml:10"
            ),
            PropertyRule(("status_code",), code, None, url, "overlay.yaml:11"),
            PropertyRule(
                ("note",), Category.FREE_TEXT, Action.SCRUB, None, "overlay.yaml:12"
            ),
            PropertyRule(
                ("cell",), Category.CONTENT, None, None, "overlay.yaml:13", code=True
            ),
            PropertyRule(("http.url",), None, Action.DROP, None, "overlay.yaml:14"),
        ),
        severity=SeverityRule(
            ("result", "status"), {"error": "ERROR", "404": "WARN", "true": "DEBUG"}
        ),
        span=SpanRule(
            name=(NamePart("run ", ("tool",)), NamePart(" at ", ("a", "b.c"))),
            kind="client",
            start={("phase", "of"): "begin"},
            end={("phase.of",): "end"},
            key=(("run_id",),),
            error=SpanError(
                ("status",),
                frozenset({"error", "false", "404", ""}),
                (("error_name",), ("status",)),
            ),
        ),
        aggregate=AggregateRule((("tool",), ("user", "name")), 60.0),
        sample=0.5,
    )


def test_a_schema_that_no_overlay_names_is_unknown(overlay_file):
    assert about("other", overlay_file(EVERYTHING)) == Overlay()


def test_an_exact_id_beats_a_glob_of_a_later_file(overlay_file):
    exact = overlay_file("schemas: {a/b: {level: audit}}", "1.yaml")
    glob = overlay_file("schemas: {a/*: {level: usage, group: data}}", "2.yaml")

    assert about("a/b", exact, glob) == Overlay(
        known=True, level=Level.AUDIT, group=Group.DATA
    )


def test_a_later_file_wins_key_by_key_and_path_by_path(overlay_file):
    first = overlay_file(
        "schemas: {a: {level: audit, sample: 0.5, "
        "properties: {x: content, y: content}}}",
        "1.yaml",
    )
    second = overlay_file(
        "schemas: {a: {level: usage, properties: {x: operational, z: network}}}",
        "2.yaml",
    )

    assert about("a", first, second) == Overlay(
        known=True,
        level=Level.USAGE,
        sample=0.5,
        properties=(
            PropertyRule(("x",), Category.OPERATIONAL, None, None, "2.yaml:1"),
            PropertyRule(("y",), Category.CONTENT, None, None, "1.yaml:1"),
            PropertyRule(("z",), Category.NETWORK, None, None, "2.yaml:1"),
        ),
    )


@pytest.mark.parametrize("schema_id", ["a[1]/b", "what?"])
def test_an_id_with_glob_characters_is_found_byte_for_byte(overlay_file, schema_id):
    path = overlay_file(yaml.safe_dump({"schemas": {schema_id: {"level": "usage"}}}))

    assert about(schema_id, path).level is Level.USAGE


def test_categories_are_changed_by_administrators_files_and_merged(overlay_file):
    first = overlay_file(
        "categories: {location: {usage: hash, audit: hash}, network: {audit: mask}}",
        "1.yaml",
    )
    second = overlay_file("categories: {location: {audit: drop}}", "2.yaml")

    assert Catalog(overlay_files=[first, second]).categories == {
        Category.LOCATION: {Level.USAGE: Action.HASH, Level.AUDIT: Action.DROP},
        Category.NETWORK: {Level.AUDIT: Action.MASK},
    }


CATEGORIES = "operational, identity, location, content, free_text, network"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "schemas:\n  a:\n    levle: usage\n",
            (
                "3: schemas.a.levle is not a key of an overlay here. Use one of: "
                "aggregate, control_plane, group, level, properties, sample, "
                "severity, span, unclassified."
            ),
        ),
        (
            "schemas:\n  a.b:\n    properties:\n      x.y: secret\n",
            (
                f'4: schemas."a.b".properties."x.y" must be one of {CATEGORIES}, '
                'got "secret".'
            ),
        ),
        (
            "schemas:\n  a:\n    properties:\n      x:\n        category: secret\n",
            (
                f"5: schemas.a.properties.x.category must be one of {CATEGORIES}, "
                'got "secret".'
            ),
        ),
        (
            "schemas:\n  a:\n    properties:\n      x: {categroy: location}\n",
            (
                "4: schemas.a.properties.x.categroy is not a key of an overlay here. "
                "Use one of: action, attribute, category, code."
            ),
        ),
        (
            "schemas:\n  a:\n    properties:\n      x: {attribute: a.b}\n",
            (
                "4: schemas.a.properties.x must have category, or action. "
                "Add what is missing."
            ),
        ),
        (
            "schemas:\n  a:\n    properties: {x: {action: hash, attribute: user.id}}\n",
            (
                "3: schemas.a.properties.x.attribute must not be a name that this "
                "package itself vouches for (enduser.*, jupyter.aggregate.*, "
                "jupyter.hub.*, jupyter.schema.*, jupyter.source, jupyter.trust, "
                "log.record.uid, otel.*, service.*, session.id, telemetry.*, user.*), "
                'got "user.id". Use another name, or leave `attribute` out.'
            ),
        ),
        (
            "schemas:\n  a:\n    properties: {x: {action: hash, attribute: 1st}}\n",
            None,
        ),
        (
            "schemas:\n  a:\n    span: {name: x}\n",
            (
                "3: schemas.a.span must have duration_ms, or start and end and key. "
                "Add what is missing."
            ),
        ),
        (
            "categories:\n  locatoin: {usage: hash}\n",
            (
                "2: categories.locatoin is not a key of an overlay here. Use one of: "
                "content, free_text, location, network, operational."
            ),
        ),
        ("schemas:\n  a:\n    level:\n", None),
        (
            "schema: {}\n",
            (
                "1: schema is not a key of an overlay here. "
                "Use one of: categories, schemas."
            ),
        ),
        ("schemas: []\n", "1: schemas must be of type object."),
        (
            "schemas:\n  a:\n    level: usage\n    level: audit\n",
            (
                "4: level is there twice; YAML would keep the last one only. "
                "Merge the two."
            ),
        ),
        ("- a\n", "1: an overlay must be a mapping with `schemas:`."),
        (
            "schemas:\n  a:\n    sample: 3\n",
            "3: schemas.a.sample cannot be used: 3 is greater than the maximum of 1.",
        ),
        ("schemas:\n  a: &x\n    properties: *x\n", None),
        ("schemas: [\n", None),
    ],
)
def test_a_wrong_overlay_is_refused_with_file_line_key_and_cure(
    overlay_file, text, message
):
    path = overlay_file(text)

    with pytest.raises(SchemaError) as refused:
        Catalog(overlay_files=[path])

    assert str(path) in str(refused.value)
    if message is not None:
        assert str(refused.value) == f"{path}:{message}"


@pytest.mark.parametrize(
    "name",
    [
        "user.hash",
        "user.name",
        "user",
        "enduser.id",
        "session.id",
        "jupyter.hub.verified",
        "jupyter.schema.id",
        "jupyter.source",
        "jupyter.trust",
        "jupyter.aggregate.count",
        "otel.event.name",
        "log.record.uid",
        "service.name",
        "telemetry.sdk.name",
    ],
)
def test_a_payload_gets_no_name_that_the_package_vouches_for(overlay_file, name):
    rule = {"category": "operational", "attribute": name}
    overlay = {"schemas": {"a": {"properties": {"x": rule}}}}

    with pytest.raises(SchemaError, match="must not be a name that this package"):
        read_overlay(overlay_file(yaml.safe_dump(overlay)))


@pytest.mark.parametrize(
    "name", ["username", "jupyter.sources", "http.user.name", "error.type"]
)
def test_a_payload_may_have_any_other_name(overlay_file, name):
    rule = {"category": "operational", "attribute": name}
    path = overlay_file(yaml.safe_dump({"schemas": {"a": {"properties": {"x": rule}}}}))

    assert about("a", path).properties[0].attribute == name


def test_an_overlay_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"none\.yaml cannot be read: No such file"):
        read_overlay(tmp_path / "none.yaml")


def test_an_empty_overlay_says_nothing(overlay_file):
    assert about("a", overlay_file("# nothing yet\n")) == Overlay()


def test_the_overlays_shipped_here_keep_to_the_format():
    paths = sorted((schemas_root() / "overlays").glob("*.yaml"))

    assert [read_overlay(path).path for path in paths] == paths
    assert Overlays(our_overlays()).categories == {}


def test_the_format_is_a_valid_schema_itself():
    body = yaml.safe_load((schemas_root() / "overlay.schema.json").read_text())

    jsonschema_rs.meta.validate(body)


def test_a_dot_within_a_name_is_escaped():
    assert read_path(r"a.b\.c.**") == ("a", "b.c", "**")


SHIPPED = {
    "https://events.jupyter.org/jupyter_server/contents_service/v1": ("usage", "data"),
    "https://events.jupyter.org/jupyter_server/kernel_actions/v1": (
        "operational",
        "operations",
    ),
    "https://events.jupyter.org/jupyter_server/gateway_client/v1": (
        "operational",
        "operations",
    ),
    "https://schema.jupyter.org/jupyterhub/events/server-action": (
        "operational",
        "operations",
    ),
    "https://schema.jupyter.org/jupyter_collaboration/session/v1": (
        "usage",
        "interface",
    ),
    "https://schema.jupyter.org/jupyter_collaboration/awareness/v1": (
        "usage",
        "interface",
    ),
    "https://schema.jupyter.org/jupyter_collaboration/fork/v1": ("usage", "interface"),
    "https://events.jupyter.org/jupyter_otel/execution/v1": ("usage", "executions"),
}


@pytest.mark.parametrize("schema_id", SHIPPED)
def test_what_is_shipped_has_the_contracts_level_and_group(schema_id):
    overlay = Catalog().find(schema_id).overlay

    found = (overlay.level, overlay.group, overlay.control_plane)
    assert found == (*SHIPPED[schema_id], False)


def leaves(node, path=()):
    if not node.properties:
        yield path
    for name, child in node.properties.items():
        yield from leaves(child, (*path, name))


@pytest.mark.parametrize("schema_id", SHIPPED)
def test_what_is_shipped_classifies_each_declared_property_and_no_other(schema_id):
    schema = Catalog().find(schema_id)

    classified = {rule.pattern for rule in schema.overlay.properties}

    assert classified == set(leaves(schema.root))


@pytest.mark.parametrize(
    "schema_id",
    [
        "https://events.jupyter.org/jupyterlab_command_toolkit/lab_command/v1",
        "https://events.jupyter.org/jupyterlab_command_toolkit/lab_command_result/v1",
        "https://schema.jupyter.org/jupyter_ai_persona_manager/personas/v1",
    ],
)
def test_schemas_that_steer_a_program_are_control_plane(schema_id):
    body = {"$id": schema_id, "properties": {"name": {"type": "string"}}}

    assert Catalog().register(body).overlay.control_plane
