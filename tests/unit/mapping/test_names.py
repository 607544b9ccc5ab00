"""Event names, held to the published vectors."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_otel.mapping.names import event_name

REPOSITORY = Path(__file__).parents[3]
VECTORS = json.loads(
    (REPOSITORY / "schemas/conventions/event_names.json").read_text("utf-8")
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["schema_id"])
def test_an_id_gets_the_published_name(vector):
    assert event_name(vector["schema_id"]) == vector["event_name"]


def test_the_vectors_are_many_and_each_id_stands_once():
    ids = [vector["schema_id"] for vector in VECTORS]

    assert len(ids) == len(set(ids)) >= 60


def test_every_schema_and_overlay_id_of_ours_has_a_vector():
    files = (REPOSITORY / "schemas").glob("*/*.yaml")
    ours = {
        schema_id
        for file in files
        for schema_id in re.findall(
            r"https://(?:events|schema)\.jupyter\.org/[^\s\"'*]+(?=[\"'\n])",
            file.read_text("utf-8"),
        )
    }

    assert ours - {vector["schema_id"] for vector in VECTORS} == set()


@given(st.text() | st.text(alphabet="aEv1:/.@?#[]%- events.schema.json"))
def test_any_id_gets_a_name_of_dotted_words(schema_id):
    assert re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", event_name(schema_id))


@given(st.text(alphabet="abcXYZ0129-_/é"))
def test_user_info_port_query_and_fragment_never_change_the_name(path):
    dressed = f"https://user:word@example.org:8443/{path}?query=1#fragment"

    assert event_name(dressed) == event_name(f"https://example.org/{path}")
