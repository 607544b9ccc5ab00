import math

import pytest

from jupyter_otel.redaction.keyed_hash import KeyedHash

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
HASH = KeyedHash(b"k" * 32)


def obj(**properties):
    return {"type": "object", "properties": properties}


def array(items):
    return {"type": "array", "items": items}


def test_only_declared_and_classified_properties_are_left(redact):
    result = redact(
        {"a": TEXT, "b": TEXT}, {"a": "operational"}, {"a": "1", "b": "2", "c": "3"}
    )

    assert result.values == {"a": "1"}
    assert result.remarks == {"unclassified_property": 1, "undeclared_property": 1}


def test_what_a_category_drops_needs_no_remark(redact):
    result = redact({"a": TEXT}, {"a": "content"}, {"a": "1"})

    assert (result.values, result.remarks) == ({}, {})


def test_unclassified_properties_leave_where_an_overlay_allows_them(redact):
    overlay = {"unclassified": "allow"}

    result = redact({"a": TEXT}, {}, {"a": "1", "b": "2"}, overlay=overlay)

    assert result.values == {"a": "1"}


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("allow", "x" * 70),
        ("mask", "***"),
        ("hash", HASH("x" * 70)),
        ("truncate", "x" * 64),
        ("scrub", "x" * 70),
        ("drop", None),
    ],
)
def test_an_action_stands_in_for_the_levels(redact, action, left):
    result = redact({"a": TEXT}, {"a": {"action": action}}, {"a": "x" * 70})

    assert result.values.get("a") == left


def test_values_keep_the_order_of_the_schema(redact):
    properties = {"z": TEXT, "o": obj(b=TEXT, a=TEXT), "y": TEXT}

    result = redact(properties, {"**": "operational"}, {})

    assert [".".join(slot.path) for slot in result.slots] == ["z", "o.b", "o.a", "y"]


def test_nested_objects_are_opened(redact):
    properties = {"user": obj(name=TEXT, role=TEXT, more=obj(x=WHOLE))}
    rules = {"user.name": "identity", "user.more.x": "operational"}
    data = {"user": {"name": "ann", "role": "r", "more": {"x": 1, "y": 2}}}

    result = redact(properties, rules, data)

    assert result.values == {"user.name": HASH("ann"), "user.more.x": 1}
    assert result.remarks == {"unclassified_property": 1, "undeclared_property": 1}


def test_a_rule_for_an_object_says_nothing_of_its_properties(redact):
    result = redact({"o": obj(a=TEXT)}, {"o": "operational"}, {"o": {"a": "1"}})

    assert result.values == {}


@pytest.mark.parametrize("pattern", ["**", "user.**"])
def test_a_rule_for_all_below_is_one_for_each_property(redact, pattern):
    data = {"user": {"name": "ann", "role": "r"}}

    result = redact(
        {"user": obj(name=TEXT, role=TEXT)}, {pattern: {"action": "hash"}}, data
    )

    assert result.values == {"user.name": HASH("ann"), "user.role": HASH("r")}


def test_a_free_form_object_is_classified_at_its_own_name_or_below(redact):
    free = {"type": "object"}
    data = {"a": {"k": 1}, "b": {"k": 2}, "c": {"k": 3}}

    rules = {"a": "operational", "b.**": "operational"}
    result = redact({"a": free, "b": free, "c": free}, rules, data)

    assert result.values == {"a": {"k": 1}, "b": {"k": 2}}


def test_a_free_form_value_is_hashed_whole(redact):
    result = redact({"a": {}}, {"a": {"action": "hash"}}, {"a": {"k": [1, 2]}})

    assert result.values == {"a": HASH({"k": [1, 2]})}


def test_scrubbing_reaches_into_free_form_values_and_their_keys(redact):
    data = {"a": {"ann@example.org": ["from 10.0.0.1", 5]}}

    result = redact({"a": {}}, {"a": {"action": "scrub"}}, data)

    assert result.values == {"a": {"[email]": ["from [ip]", 5]}}


def test_arrays_of_scalars_are_classified_whole_or_by_item(redact):
    properties = {"a": array(TEXT), "b": array(TEXT)}
    rules = {"a": {"action": "hash"}, "b.*": {"action": "hash"}}

    result = redact(properties, rules, {"a": ["x", "y"], "b": ["x", "y"]})

    assert result.values == {"a": HASH(["x", "y"]), "b": [HASH("x"), HASH("y")]}


def test_arrays_of_objects_keep_what_is_declared_and_allowed(redact):
    properties = {"cells": array(obj(kind=TEXT, source=TEXT, path=TEXT))}
    rules = {"cells.*.kind": "operational", "cells.*.path": "location"}
    cells = [{"kind": "code", "source": "S", "path": "p", "zz": 1}, {"kind": "md"}]

    result = redact(properties, rules, {"cells": cells})

    assert result.values == {
        "cells": [{"kind": "code", "path": HASH("p")}, {"kind": "md"}]
    }
    assert result.remarks == {"unclassified_property": 1, "undeclared_property": 1}


def test_an_array_of_objects_may_be_hidden_whole(redact):
    cells = [{"kind": "code"}]

    result = redact(
        {"cells": array(obj(kind=TEXT))},
        {"cells": {"action": "hash"}},
        {"cells": cells},
    )

    assert result.values == {"cells": HASH(cells)}


def test_nothing_is_left_of_an_array_whose_objects_lose_everything(redact):
    properties = {"cells": array(obj(source=TEXT))}

    result = redact(properties, {}, {"cells": [{"source": "S"}]})

    assert result.values == {}


def test_empty_objects_and_arrays_stay_empty(redact):
    properties = {"o": array(obj(a=TEXT)), "m": array(TEXT), "f": {"type": "object"}}

    result = redact(properties, {"**": "operational"}, {"o": [], "m": [], "f": {}})

    assert result.values == {"o": [], "m": [], "f": {}}


def test_a_map_is_classified_by_its_values(redact):
    counts = {"type": "object", "additionalProperties": WHOLE}
    rows = {"type": "object", "patternProperties": {".*": obj(n=WHOLE, who=TEXT)}}
    data = {"counts": {"a": 1}, "rows": {"r": {"n": 1, "who": "ann"}}}

    rules = {"counts.*": "operational", "rows.*.n": "operational"}
    result = redact({"counts": counts, "rows": rows}, rules, data)

    assert result.values == {"counts": {"a": 1}, "rows": {HASH("r"): {"n": 1}}}


def test_a_map_beside_named_properties_is_one_value_of_its_object(redact):
    mixed = obj(named=TEXT) | {"additionalProperties": WHOLE}

    result = redact(
        {"o": mixed}, {"o.**": "operational"}, {"o": {"named": "n", "x": 1, "y": 2}}
    )

    assert result.values == {"o.named": "n", "o": {"x": 1, "y": 2}}
    assert result.remarks == {}


def test_a_map_at_the_root_is_a_value_too(redact):
    result = redact(
        {}, {"*": "operational"}, {"x": 1}, body={"additionalProperties": WHOLE}
    )

    assert result.values == {"": {"x": 1}}


def test_a_value_of_another_type_than_declared_is_left_out(redact):
    result = redact({"a": TEXT}, {"a": "operational"}, {"a": {"secret": 1}})

    assert result.values == {}
    assert result.remarks == {"undeclared_property": 1}


def test_a_property_may_be_text_or_object(redact):
    either = {"anyOf": [TEXT, obj(a=TEXT)]}
    rules = {"p": "operational", "p.a": "operational"}

    assert redact({"p": either}, rules, {"p": "x"}).values == {"p": "x"}
    assert redact({"p": either}, rules, {"p": {"a": "x"}}).values == {"p.a": "x"}


def test_null_is_left_out(redact):
    assert redact({"a": {}}, {"a": "operational"}, {"a": None}).values == {}


@pytest.mark.parametrize("value", [math.nan, 2**70, -(2**70)])
def test_odd_numbers_pass_through(redact, value):
    found = redact({"a": {"type": "number"}}, {"a": "operational"}, {"a": value})

    assert found.values["a"] is value


def nested(levels, leaf):
    return leaf if levels == 0 else obj(c=nested(levels - 1, leaf), v=WHOLE)


def data_of(levels):
    return {"v": levels} if levels == 0 else {"c": data_of(levels - 1), "v": levels}


def test_sixteen_levels_have_names_and_deeper_ones_are_one_value(redact):
    properties = nested(20, obj(v=WHOLE))["properties"]

    result = redact(properties, {"**": "operational"}, data_of(20))

    assert set(result.values) == {
        *(".".join([*["c"] * depth, "v"]) for depth in range(16)),
        ".".join(["c"] * 16),
    }
    assert result.values[".".join(["c"] * 16)] == data_of(4)


def test_a_recursive_schema_is_followed_as_deep_as_the_data(redact):
    body = {"properties": {"v": WHOLE, "s": TEXT, "c": {"$ref": "#"}}}
    deep = {"v": 0, "s": "secret", "z": 1}
    for number in range(1, 40):
        deep = {"v": number, "c": deep}

    result = redact({}, {"v": "operational", "c.**.v": "operational"}, deep, body=body)

    inner = result.values.pop(".".join(["c"] * 16))
    assert result.values == {
        ".".join([*["c"] * depth, "v"]): 39 - depth for depth in range(16)
    }
    while "c" in inner:
        inner = inner["c"]
    assert inner == {"v": 0}


def test_a_schema_that_branches_without_end_has_a_thousand_names_at_most(redact):
    branching = {name: {"$ref": "#"} for name in "abcdefgh"} | {"v": WHOLE}

    result = redact({}, {"**": "operational"}, {"v": 1}, body={"properties": branching})

    assert len(result.slots) <= 1024
    assert result.values == {"v": 1}


def test_the_persons_name_follows_the_identity_setting(redact):
    users = [redact({}, {}, {}, identity=i).user for i in ("none", "hash", "name")]

    assert users == [None, ("user.hash", HASH("Ann")), ("user.name", "Ann")]
