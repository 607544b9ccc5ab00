import pytest

from jupyter_otel.cli.schema_guesses import guess

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("path", "subschema", "category"),
    [
        (("owner",), TEXT, "identity"),
        (("userName",), TEXT, "identity"),
        (("user_ids",), TEXT, "identity"),
        (("client_ip",), TEXT, "network"),
        (("outputs", "*", "url"), TEXT, "location"),
        (("notebookPath",), TEXT, "location"),
        (("error_message",), {"type": ["string", "null"]}, "free_text"),
        (("parameters",), {"type": "object"}, "content"),
        (("anything",), {"type": ["integer", "null"]}, "operational"),
        (("who",), {"type": "string", "enum": ["a"]}, "operational"),
        (("who",), {"type": "string", "format": "email"}, "identity"),
        (("path", "*"), TEXT, "location"),
        (("zzz",), TEXT, None),
        (("*",), TEXT, None),
    ],
)
def test_a_category_is_guessed_by_format_by_type_and_by_the_most_telling_word(
    path, subschema, category
):
    assert guess(path, subschema) == category
