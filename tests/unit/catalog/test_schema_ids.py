import pytest

from jupyter_otel.catalog.schema_ids import schema_id, schema_version
from jupyter_otel.errors import SchemaError


@pytest.mark.parametrize(
    "identifier",
    [
        "https://example.org/a/v1",
        "urn:a:b",
        "bare words and+plus",
        "https://jupyter-x/y/events/z",
        "http://[not a url",
    ],
)
def test_an_id_is_kept_byte_for_byte(identifier):
    assert schema_id({"$id": identifier}, "test") == identifier


def test_draft_4s_id_serves_where_there_is_no_other():
    assert schema_id({"id": "old", "$id": "new"}, "test") == "new"
    assert schema_id({"id": "old"}, "test") == "old"


@pytest.mark.parametrize("body", [{}, {"$id": ""}, {"$id": 3}, {"id": {"type": "x"}}])
def test_a_schema_without_an_id_is_refused_with_the_cure(body):
    with pytest.raises(SchemaError) as refused:
        schema_id(body, "run.yaml")

    assert str(refused.value) == (
        "run.yaml: a schema must have an `$id`, a text that names it. "
        'Add one, for example `"$id": https://example.org/tools/run/v1`.'
    )


@pytest.mark.parametrize(
    ("stated", "identifier", "version"),
    [
        ("1", "https://example.org/a/v2", "1"),
        ("2.0-rc", "a", "2.0-rc"),
        (1, "a", "1"),
        (1.5, "a", "1.5"),
        (None, "https://example.org/a/v12", "12"),
        (None, "https://example.org/v1/a/v3", "3"),
        (None, "https://example.org/v1/a", "1"),
        (None, "https://example.org/a/v3?x#y", "3"),
        (None, "urn:a:v4", "4"),
        (None, "https://example.org/dev1", None),
        (None, "https://example.org/v1beta", None),
        (None, "a", None),
        (True, "a", None),
        ("", "a/v2", "2"),
        ([1], "a", None),
    ],
)
def test_the_version_is_text_stated_or_out_of_the_id(stated, identifier, version):
    body = {} if stated is None else {"version": stated}

    assert schema_version(body, identifier) == version
