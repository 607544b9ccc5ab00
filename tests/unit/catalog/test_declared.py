import pytest

from jupyter_otel.catalog.references import References

TEXT = {"type": "string"}
IS_TEXT = {"types": ["string"]}


def test_root_and_nested_properties_keep_their_declared_order(declared):
    body = {
        "type": "object",
        "required": ["b"],
        "properties": {
            "b": {"type": "integer", "default": 3},
            "a": {"type": "object", "required": ["x"], "properties": {"x": TEXT}},
        },
    }

    found = declared(body)

    assert found == {
        "types": ["object"],
        "properties": {
            "b": {"types": ["integer"]},
            "a": {"types": ["object"], "properties": {"x": IS_TEXT}},
        },
    }
    assert list(found["properties"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("body", "types"),
    [
        ({"type": ["string", "null"]}, {"types": ["null", "string"]}),
        ({"enum": ["a", 1]}, {}),
        ({}, {}),
        ({"not": {"type": "string"}}, {}),
        (True, {}),
        (False, {}),
        (
            {"anyOf": [TEXT, {"type": "integer"}]},
            {"types": ["integer", "string"]},
        ),
        ({"oneOf": [TEXT, {"minimum": 3}]}, {}),
        ({"anyOf": [TEXT, True]}, {}),
        (
            {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"types": ["object"]},
        ),
        ({"allOf": [TEXT, {"maxLength": 3}]}, IS_TEXT),
        ({"anyOf": [{"allOf": [TEXT, {"maxLength": 3}]}]}, IS_TEXT),
    ],
)
def test_types_are_those_stated_and_any_where_a_branch_states_none(
    declared, body, types
):
    assert declared({"properties": {"p": body}}) == {"properties": {"p": types}}


def test_a_condition_that_restates_a_property_does_not_open_its_type(declared):
    body = {
        "properties": {"status": TEXT},
        "if": {"properties": {"status": {"const": "error"}}},
        "then": {"properties": {"reason": TEXT}},
        "else": {"properties": {"result": {"type": "number"}}},
    }

    assert declared(body) == {
        "properties": {
            "status": IS_TEXT,
            "reason": IS_TEXT,
            "result": {"types": ["number"]},
        }
    }


def test_all_combinators_declare_and_not_does_not(declared):
    body = {
        "allOf": [{"properties": {"a": TEXT}}],
        "anyOf": [{"properties": {"b": TEXT}}, {"properties": {"c": TEXT}}],
        "oneOf": [{"properties": {"d": TEXT}}],
        "not": {"properties": {"e": TEXT}},
    }

    assert declared(body) == {"properties": dict.fromkeys("abcd", IS_TEXT)}


def test_one_property_in_two_branches_has_the_parts_of_both(declared):
    body = {
        "anyOf": [
            {"properties": {"p": {"type": "object", "properties": {"x": TEXT}}}},
            {"properties": {"p": {"type": "array", "items": TEXT}}},
        ]
    }

    assert declared(body) == {
        "properties": {
            "p": {
                "types": ["array", "object"],
                "properties": {"x": IS_TEXT},
                "items": IS_TEXT,
            }
        }
    }


@pytest.mark.parametrize(
    "body",
    [
        {"items": {"properties": {"x": TEXT}}},
        {"items": [{"properties": {"x": TEXT}}, True]},
        {"items": [True], "additionalItems": {"properties": {"x": TEXT}}},
        {"prefixItems": [True, {"properties": {"x": TEXT}}]},
        {"prefixItems": [True], "items": {"properties": {"x": TEXT}}},
    ],
)
def test_items_of_every_form_declare(declared, body):
    found = declared({"properties": {"list": body}})

    assert found == {"properties": {"list": {"items": {"properties": {"x": IS_TEXT}}}}}


def test_maps_are_declared_by_patterns_and_by_a_schema_for_the_rest(declared):
    by_pattern = {"patternProperties": {"^x-": TEXT}, "additionalProperties": False}
    by_rest = {"additionalProperties": {"type": "integer"}}
    both = {**by_rest, "patternProperties": {"^x-": TEXT}}
    free = {"type": "object", "additionalProperties": True}

    body = {"properties": {"a": by_pattern, "b": by_rest, "c": both, "d": free}}

    assert declared(body) == {
        "properties": {
            "a": {"others": IS_TEXT},
            "b": {"others": {"types": ["integer"]}},
            "c": {"others": {"types": ["integer", "string"]}},
            "d": {"types": ["object"]},
        }
    }


@pytest.mark.parametrize(
    "reference",
    [
        "#/$defs/name",
        "#/definitions/old",
        "#named",
        "#plain",
        "named.json",
        "https://example.org/a/named.json",
        "https://example.org/a/run#/$defs/name",
        "#/$defs/with~1slash",
        "#/$defs/with%20space",
        "#/examples/0",
    ],
)
def test_references_within_the_schema_lead_to_what_they_mean(declared, reference):
    body = {
        "$id": "https://example.org/a/run",
        "properties": {"p": {"$ref": reference}},
        "$defs": {
            "name": TEXT,
            "with/slash": TEXT,
            "with space": TEXT,
            "anchored": {"$anchor": "named", **TEXT},
            "addressed": {"$id": "named.json", **TEXT},
        },
        "definitions": {"old": TEXT, "older": {"$id": "#plain", **TEXT}},
        "examples": [TEXT],
    }

    assert declared(body) == {"properties": {"p": IS_TEXT}}


def test_a_pointer_in_a_nested_resource_starts_at_that_resource(declared):
    inner = {
        "$id": "inner",
        "properties": {"x": {"$ref": "#/$defs/t"}},
        "$defs": {"t": {"type": "integer"}},
    }
    body = {
        "$id": "https://example.org/outer",
        "properties": {"p": {"$ref": "inner"}},
        "$defs": {"t": TEXT, "inner": inner},
    }

    assert declared(body) == {
        "properties": {"p": {"properties": {"x": {"types": ["integer"]}}}}
    }


def test_a_recursive_schema_is_a_cycle(declared):
    body = {
        "properties": {
            "name": TEXT,
            "children": {"type": "array", "items": {"$ref": "#"}},
        }
    }

    assert declared(body) == {
        "properties": {
            "name": IS_TEXT,
            "children": {"types": ["array"], "items": "cycle"},
        }
    }


def test_a_reference_to_itself_ends(declared):
    loop = {"$ref": "#/$defs/loop"}

    assert declared({"properties": {"p": loop}, "$defs": {"loop": loop}}) == {
        "properties": {"p": {}}
    }


def test_a_long_chain_of_references_ends(declared):
    steps = {f"s{n}": {"$ref": f"#/$defs/s{n + 1}"} for n in range(3000)}
    body = {
        "properties": {"p": {"$ref": "#/$defs/s0"}},
        "$defs": {**steps, "s3000": {"properties": {"x": TEXT}}},
    }

    assert declared(body) == {"properties": {"p": {"properties": {"x": IS_TEXT}}}}


def test_references_out_of_the_schema_are_named_wherever_they_stand():
    body = {
        "$id": "https://example.org/a",
        "properties": {"$ref": TEXT, "ok": {"$ref": "#"}},
        "enum": [{"$ref": "data, not a reference"}],
        "not": {"$ref": "other.json"},
        "dependentSchemas": {"x": {"$ref": "http://json-schema.org/draft-07/schema#"}},
        "allOf": [{"$ref": "#/nowhere"}],
    }

    assert References(body).outside() == [
        "$ref: other.json",
        "$ref: http://json-schema.org/draft-07/schema#",
        "$ref: #/nowhere",
    ]


def test_what_only_a_reference_reaches_is_searched_too():
    body = {
        "properties": {"p": {"$ref": "#/x-parts/a"}, "q": {"$recursiveRef": "#"}},
        "x-parts": {
            "a": {"items": {"$ref": "#/x-parts/b"}},
            "b": {"anyOf": [{"$dynamicRef": "other#b"}, {"$ref": "#/x-parts/a"}]},
            "c": {"$ref": "never reached"},
        },
    }

    assert References(body).outside() == ["$dynamicRef: other#b"]


def test_legacy_categories_are_kept_as_written(declared):
    body = {
        "properties": {
            "a": {"type": "string", "categories": ["unrestricted"]},
            "b": {
                "categories": ["category.jupyter.org/user-identifier", "unrestricted"]
            },
        }
    }

    assert declared(body) == {
        "properties": {
            "a": {"types": ["string"], "categories": ["unrestricted"]},
            "b": {
                "categories": ["category.jupyter.org/user-identifier", "unrestricted"]
            },
        }
    }


def test_a_property_that_is_no_schema_is_not_declared(declared):
    body = {"properties": {"a": TEXT, "required": ["a"]}}

    assert declared(body) == {"properties": {"a": IS_TEXT}}


def test_what_a_condition_asks_is_not_a_type_of_the_property(declared):
    body = {
        "properties": {"size": TEXT},
        "if": {"properties": {"size": {"type": "integer"}}},
    }

    assert declared(body) == {"properties": {"size": IS_TEXT}}
