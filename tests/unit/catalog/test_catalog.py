import subprocess
import sys

import pytest
from jupyter_events import EventLogger

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.catalog.files import read_body, schemas_root
from jupyter_otel.errors import SchemaError
from jupyter_otel.schema import Level

EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
CONTENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"
TEXT = {"type": "string"}


def body(identifier="https://example.org/a/v1", **properties):
    return {"$id": identifier, "version": "1", "properties": properties}


def test_what_the_catalog_knows_from_the_start():
    found = {(schema.id, schema.package) for schema in Catalog().schemas()}

    collaboration = "https://schema.jupyter.org/jupyter_collaboration"
    server = "https://events.jupyter.org/jupyter_server"
    assert found >= {
        (EXECUTION, "jupyter-otel"),
        (CONTENTS, "jupyter_server"),
        (f"{server}/kernel_actions/v1", "jupyter_server"),
        (f"{server}/gateway_client/v1", "jupyter_server"),
        ("https://schema.jupyter.org/jupyterhub/events/server-action", "jupyterhub"),
        (f"{collaboration}/session/v1", "jupyter-server-ydoc"),
        (f"{collaboration}/awareness/v1", "jupyter-server-ydoc"),
        (f"{collaboration}/fork/v1", "jupyter-server-ydoc"),
    }


def test_each_file_of_ours_is_found_by_its_id():
    for path in (schemas_root() / "events").glob("*.yaml"):
        schema = Catalog().find(read_body(path)["$id"])

        assert schema is not None, path.name
        assert schema.origin == f"jupyter_otel/{path.name}"


def test_each_file_of_ours_is_taken_by_jupyter_events_too():
    for path in (schemas_root() / "events").glob("*.yaml"):
        logger = EventLogger()

        logger.register_event_schema(path)

        assert read_body(path)["$id"] in logger.schemas.schema_ids


def test_an_unknown_id_is_not_found():
    catalog = Catalog()

    unknown = ["x", "https://events.jupyter.org/jupyter_otel/nothing/v1", ""]
    assert [catalog.find(schema_id) for schema_id in unknown] == [None, None, None]


@pytest.mark.parametrize("form", ["mapping", "path", "yaml", "json"])
def test_a_schema_is_registered_in_any_form(tmp_path, form):
    path = tmp_path / "a.yaml"
    path.write_text('$id: a+b\nversion: "3"\nproperties: {p: {type: string}}\n')
    forms = {
        "mapping": {"$id": "a+b", "version": "3", "properties": {"p": TEXT}},
        "path": path,
        "yaml": path.read_text(),
        "json": '{"$id": "a+b", "version": "3", '
        '"properties": {"p": {"type": "string"}}}',
    }
    catalog = Catalog()

    schema = catalog.register(forms[form], package="tools")

    assert (schema.id, schema.version, schema.package) == ("a+b", "3", "tools")
    assert schema.origin == (str(path) if form == "path" else "application")
    assert schema.body == forms["mapping"]
    assert schema.root.properties["p"].types == {"string"}
    assert catalog.find("a+b") is schema
    assert catalog.warnings == []


def test_the_same_body_again_is_the_same_schema():
    catalog = Catalog()

    first = catalog.register(body(p=TEXT))

    assert catalog.register(body(p=TEXT)) is first
    assert catalog.warnings == []


def test_a_body_changed_after_registration_changes_nothing():
    catalog, mine = Catalog(), body(p={"type": "string"})

    schema = catalog.register(mine)
    mine["properties"]["p"]["type"] = "integer"

    assert catalog.validator(schema).is_valid({"p": "text"})


def test_another_body_under_an_id_is_found_from_then_on_with_a_warning():
    catalog = Catalog()
    first = catalog.register(body(p=TEXT))

    second = catalog.register(body(q=TEXT))

    assert catalog.find(first.id) is second
    assert catalog.schemas().count(first) == 1
    assert catalog.warnings == [
        (
            "https://example.org/a/v1 was registered again by application with another "
            "body, which is the one that counts from now on"
        )
    ]


def test_bodies_that_two_packages_have_under_one_id_are_kept_apart():
    catalog = Catalog()

    one = catalog.adopt(body(p=TEXT), "package one")
    two = catalog.adopt(body(q=TEXT), "package two")

    assert [list(schema.root.properties) for schema in (one, two)] == [["p"], ["q"]]
    assert [schema.origin for schema in (one, two)] == ["package one", "package two"]
    assert catalog.adopt(body(p=TEXT), "package one") is one
    assert catalog.warnings == [
        (
            "https://example.org/a/v1 has two bodies, one from package one and one "
            "from package two; both are kept, each for the events of its own origin"
        )
    ]


def test_an_applications_schema_is_found_before_an_adopted_one():
    catalog = Catalog()
    registered = catalog.register(body(p=TEXT))

    catalog.adopt(body(q=TEXT), "bus")

    assert catalog.find(registered.id) is registered


def test_a_body_of_the_bus_that_the_catalog_knows_is_that_schema():
    catalog, logger = Catalog(), EventLogger()
    known = catalog.find(CONTENTS)
    logger.register_event_schema(dict(known.body))

    assert catalog.adopt(logger.schemas.get(CONTENTS)._schema, "bus") is known


def test_administrators_folders_come_before_ours_and_after_the_application(tmp_path):
    theirs = {"$id": EXECUTION, "properties": {"theirs": TEXT}}
    (tmp_path / "execution.yaml").write_text(str(theirs))
    catalog = Catalog(schema_directories=[tmp_path])

    from_folder = catalog.find(EXECUTION)
    from_application = catalog.register({**theirs, "title": "mine"})

    assert list(from_folder.root.properties) == ["theirs"]
    assert catalog.find(EXECUTION) is from_application
    assert from_folder.overlay.level is Level.USAGE


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "application: a schema must have an `$id`, a text that names it."),
        ([], "application: a schema must be a mapping, a path or YAML text, not list."),
        (
            body(p={"type": "strng"}),
            (
                "application is not a valid JSON Schema "
                "(http://json-schema.org/draft-07/schema): at /properties/p/type: "
                "'strng' is not"
            ),
        ),
        (
            body(p={"$ref": "https://example.org/elsewhere"}),
            (
                "application: `$ref: https://example.org/elsewhere` leads out of the "
                "schema, and nothing is ever fetched. Copy what it means under `$defs`"
            ),
        ),
        (
            body(p={"$recursiveRef": "https://example.org/other"}),
            "application: `$recursiveRef: https://example.org/other` leads out",
        ),
        (
            body(p={"$dynamicRef": "other#node"}),
            "application: `$dynamicRef: other#node` leads out",
        ),
        (
            body("https://example.org/\x1b[2J"),
            (
                "application: the schema's `$id` has characters that cannot be seen: "
                "'https://example.org/\\x1b[2J'. Leave them out."
            ),
        ),
    ],
)
def test_what_is_no_schema_is_refused_with_place_and_cure(wrong, message):
    catalog = Catalog()

    with pytest.raises(SchemaError) as refused:
        catalog.register(wrong)

    assert str(refused.value).startswith(message)
    assert catalog.find("https://example.org/a/v1") is None


def test_a_file_in_a_folder_that_is_no_schema_is_refused_by_name(tmp_path):
    (tmp_path / "notes.yaml").write_text("just: notes\n")

    with pytest.raises(SchemaError, match=r"notes\.yaml: a schema must have an `\$id`"):
        Catalog(schema_directories=[tmp_path])


@pytest.mark.parametrize(
    ("odd", "warning"),
    [
        (body(p={"type": "strng"}), "bus: not a valid JSON Schema: at /properties/p"),
        (body(p={"$ref": "http://127.0.0.1:9/x"}), "bus: `$ref: http://127.0.0.1:9/x`"),
        ({"properties": {"p": TEXT}}, "bus: a schema must have an `$id`"),
        (
            body(p={"$recursiveRef": "other"}),
            "bus: `$recursiveRef: other` leads out of the schema",
        ),
    ],
)
def test_what_another_registry_took_is_adopted_with_a_warning(odd, warning):
    catalog = Catalog()

    schema = catalog.adopt(odd, "bus")

    assert schema.id == odd.get("$id", "")
    assert [text[: len(warning)] for text in catalog.warnings] == [warning]
    assert catalog.validator(schema).is_valid({"p": 1}) in (True, False)


def test_a_warning_shows_what_cannot_be_seen():
    catalog = Catalog()
    for properties in ({"p": TEXT}, {"q": TEXT}):
        catalog.adopt(body("a\x1b[2J\n\u202e", **properties), "bus")

    (warning,) = catalog.warnings
    assert warning.startswith(r"a\x1b[2J\n\u202e was registered again by bus")


def test_an_overlay_reaches_a_schema_by_its_exact_id(overlay_file):
    path = overlay_file('schemas: {"a+b v1": {level: audit}}')

    schema = Catalog(overlay_files=[path]).register(body("a+b v1"))

    assert schema.overlay.level is Level.AUDIT


def test_a_start_without_files_reads_nothing_and_imports_no_validator():
    script = (
        "import sys\n"
        "from jupyter_otel.catalog.catalog import Catalog\n"
        "catalog = Catalog()\n"
        "assert catalog._schemas == {}\n"
        f"catalog.find({EXECUTION!r}); catalog.find({CONTENTS!r})\n"
        "unwanted = {'jsonschema', 'jsonschema_rs', 'jupyter_server', 'jupyterhub'}\n"
        "assert unwanted.isdisjoint(sys.modules), unwanted & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_path_given_as_text_is_told_to_be_a_path():
    with pytest.raises(SchemaError) as refused:
        Catalog().register("tools/run.yaml")
    assert str(refused.value) == (
        "application: a schema's text must be YAML or JSON, got what looks like a "
        "path, 'tools/run.yaml'. Give a pathlib.Path."
    )
