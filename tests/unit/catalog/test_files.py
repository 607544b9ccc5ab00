import datetime as dt

import pytest

from jupyter_otel.catalog.files import (
    parse_body,
    read_body,
    schema_files,
    schemas_root,
    snapshot,
)
from jupyter_otel.errors import SchemaError


def test_our_schemas_are_where_the_root_says():
    assert (schemas_root() / "overlay.schema.json").is_file()


def test_json_is_read_as_yaml_is(tmp_path):
    (tmp_path / "a.json").write_text('{"$id": "a",\n\t"version": "1"}')
    (tmp_path / "a.yaml").write_text('$id: a\nversion: "1"\n')

    bodies = [read_body(path) for path in schema_files(tmp_path)]

    assert bodies == [{"$id": "a", "version": "1"}] * 2


def test_hidden_files_of_a_mounted_configmap_are_passed_over(tmp_path):
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "a.yaml").write_text("$id: a")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.yml").symlink_to(tmp_path / "..data" / "a.yaml")
    (tmp_path / "notes.txt").write_text("not a schema")

    assert list(schema_files(tmp_path)) == [tmp_path / "sub" / "a.yml"]


def test_a_missing_folder_is_refused_with_the_setting(tmp_path):
    with pytest.raises(SchemaError, match=r"OtelPolicy\.schema_directories"):
        list(schema_files(tmp_path / "none"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "this is a list"),
        ("hello", "this is a text"),
        ("3", "this is a number"),
        ("", "this is a null"),
        ("a: [", "run.yaml is not YAML: "),
    ],
)
def test_a_file_that_is_no_schema_is_refused(text, message):
    with pytest.raises(SchemaError, match=message) as refused:
        parse_body(text, "run.yaml")

    assert str(refused.value).startswith("run.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SchemaError, match="it is not UTF-8"):
        read_body(tmp_path / "a.yaml")


def test_a_snapshot_is_what_json_carries_and_apart_from_the_original():
    original = {"default": dt.date(2026, 1, 2), 1: ("a",), "nested": {"x": 1}}

    copy = snapshot(original, "test")
    original["nested"]["x"] = 2

    assert copy == {"default": "2026-01-02", "1": ["a"], "nested": {"x": 1}}


def test_a_body_that_contains_itself_is_refused():
    body = {"$id": "a"}
    body["properties"] = {"a": body}

    with pytest.raises(SchemaError, match="a tree that JSON can carry"):
        snapshot(body, "test")
