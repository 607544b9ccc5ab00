"""Every ``--json`` is held to its JSON Schema under ``schemas/api/``."""

import json

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from jupyter_otel.catalog.files import schemas_root

API = schemas_root() / "api"
EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
USAGE = "--OtelPolicy.level=usage"
MANDATORY = "--OtelConsent.mode=mandatory"
DATA = {"phase": "finished", "status": "error", "error_name": "E", "duration_ms": 1}


def validator(name):
    """Return what judges one shape; shapes may refer to each other."""
    bodies = [json.loads(path.read_text()) for path in API.glob("*.schema.json")]
    registry = Registry().with_resources(
        (body["$id"], Resource.from_contents(body)) for body in bodies
    )
    [body] = [body for body in bodies if body["$id"].endswith(f"/{name}.schema.json")]
    return Draft202012Validator(body, registry=registry)


def assert_shape(name, *documents):
    errors = [
        f"{error.json_path}: {error.message}"
        for document in documents
        for error in validator(name).iter_errors(document)
    ]
    assert errors == []
    assert documents


def lines(done):
    status, out, _ = done
    assert status == 0
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("path", sorted(API.glob("*.json")), ids=lambda path: path.stem)
def test_every_shape_is_a_schema(path):
    Draft202012Validator.check_schema(json.loads(path.read_text()))


def test_events_and_traces_have_their_shapes(cli):
    data = json.dumps(DATA)
    done = cli("emit", USAGE, MANDATORY, "--schema", EXECUTION, "--data", data)
    assert done == (0, "Sent.\n", "")
    assert_shape("events", *lines(cli("events", "--json")))
    assert_shape("traces", *lines(cli("traces", "--json")))


def test_previews_have_their_shape(cli):
    event = json.dumps({"schema_id": EXECUTION, "data": DATA})
    shown = lines(cli("preview", USAGE, "--explain", stdin=event))
    refused = lines(cli("preview", stdin=event))
    invalid = json.dumps({"schema_id": EXECUTION, "data": {}})
    broken = lines(cli("preview", USAGE, stdin=invalid))
    assert_shape("preview", *shown, *refused, *broken)


def test_findings_have_their_shape(cli):
    assert_shape("doctor", *lines_of_document(cli("doctor", "--json")))


def lines_of_document(done):
    status, out, _ = done
    assert status == 0
    return [json.loads(out)]


def test_the_catalog_has_its_shapes(cli):
    listing = cli("schemas", "list", "--json")
    assert_shape("schemas_list", *lines_of_document(listing))
    shown = cli("schemas", "show", EXECUTION, "--json")
    assert_shape("schemas_show", *lines_of_document(shown))
    file = str(schemas_root() / "events" / "execution.yaml")
    checked = cli("schemas", "check", file, "--json")
    assert_shape("schemas_check", *lines_of_document(checked))


def test_the_privacy_sheet_has_its_shape(cli):
    for level in ("none", "audit"):
        done = cli("privacy-sheet", "--format", "json", f"--OtelPolicy.level={level}")
        [document] = lines_of_document(done)
        assert document["collected"]["level"] == level
        assert_shape("privacy_sheet", document)


def test_hashes_have_their_shape(cli, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    setting = f"--OtelRedaction.hash_key_file={key}"
    assert_shape("hash", *lines(cli("hash", "ann", "jo", "--json", setting)))


def test_status_has_its_shape_whether_anything_is_collected_or_not(cli, start_server):
    for level in ("none", "usage"):
        server = start_server(f"--OtelPolicy.level={level}")
        cli.environment["JUPYTER_DATA_DIR"] = str(server.home / "data")
        cli.environment["JUPYTER_RUNTIME_DIR"] = str(server.home / "runtime")
        [document] = lines_of_document(cli("status", "--json"))
        assert document["servers"][0]["status"]["level"] == level
        assert_shape("cli_status", document)
