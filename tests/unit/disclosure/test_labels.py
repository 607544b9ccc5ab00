from jupyter_otel.assembly import build_policy
from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.config import read_settings
from jupyter_otel.disclosure.labels import labels, property_name
from jupyter_otel.schema import Action, Level

SCHEMA = {
    "$id": "https://example.org/x/v1",
    "properties": {
        "plain": {"type": "string", "categories": ["unrestricted"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": {"a.b": {"type": "integer"}}},
        },
        "tree": {"$ref": "#/$defs/tree"},
    },
    "$defs": {
        "tree": {
            "type": "object",
            "properties": {
                "leaf": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
            },
        }
    },
}


def test_every_part_of_arrays_and_nested_objects_is_labelled():
    catalog = Catalog()
    schema = catalog.register(SCHEMA)
    found = labels(schema, build_policy(read_settings(None), catalog, Level.AUDIT))
    shallow = {
        property_name(path): (decision.action, decision.classified)
        for path, decision in found.items()
        if len(path) <= 3
    }
    assert shallow["plain"] == (Action.ALLOW, True)
    dropped = (Action.DROP, False)
    assert shallow["tags"] == dropped
    assert shallow["rows.*.a\\.b"] == dropped
    assert shallow["tree.leaf"] == dropped
