"""Which rule decides about the parts of maps, arrays, free-form values and unions."""

import pytest

from jupyter_otel.redaction.keyed_hash import KeyedHash

TEXT = {"type": "string"}
HASH = KeyedHash(b"k" * 32)
HIDE = {"action": "hash"}
MASK = {"action": "mask"}
DROP = {"action": "drop"}
SCRUB = {"action": "scrub"}
FREE = {"type": "object"}


def obj(**properties):
    return {"type": "object", "properties": properties}


def array(items):
    return {"type": "array", "items": items}


def map_of(values):
    return {"type": "object", "additionalProperties": values}


ENV = {"env": {"PASSWORD": "hunter2", "X": "1"}}
USER = {"user": {"name": "ann", "role": "r"}}
USERS = {"user": obj(name=TEXT, role=TEXT)}


@pytest.mark.parametrize("declared", [FREE, map_of(TEXT), {}])
@pytest.mark.parametrize("all_of_it", ["env", "env.*", "env.**", "**"])
def test_a_key_with_a_rule_of_its_own_goes_by_that(redact, declared, all_of_it):
    rules = {all_of_it: "operational", "env.PASSWORD": "content"}

    assert redact({"env": declared}, rules, ENV).values == {"env": {"X": "1"}}


def test_a_rule_reaches_as_deep_into_a_free_form_value_as_it_says(redact):
    rules = {"a": "operational", "a.**.secret": "content", "a.*.pw": HIDE}
    data = {"a": {"b": [{"secret": 1, "n": 2}], "c": {"pw": "p", "secret": 3}}}

    result = redact({"a": {}}, rules, data)

    assert result.values == {"a": {"b": [{"n": 2}], "c": {"pw": HASH("p")}}}


def test_a_key_of_a_map_of_objects_beats_the_star(redact):
    rules = {"m.*.v": "operational", "m.pw.v": "content", "m": "operational"}
    data = {"m": {"pw": {"v": "secret"}, "x": {"v": "1"}}}

    result = redact({"m": map_of(obj(v=TEXT))}, rules, data)

    assert result.values == {"m": {"x": {"v": "1"}}}


def test_a_key_of_a_map_at_the_root_beats_the_star(redact):
    rules = {"*": "operational", "tok": "content"}
    body = {"patternProperties": {".*": TEXT}}

    result = redact({"a": TEXT}, rules, {"a": "1", "tok": "s", "x": "2"}, body=body)

    assert result.values == {"a": "1", "": {"x": "2"}}


@pytest.mark.parametrize(
    ("own", "of_items", "left"),
    [
        ("operational", "content", None),
        (DROP, "operational", None),
        (HIDE, "operational", HASH(["t"])),
        ("operational", HIDE, [HASH("t")]),
        (MASK, HIDE, "***"),
    ],
)
def test_of_an_array_and_its_items_the_stricter_rule_holds(redact, own, of_items, left):
    rules = {"tags": own, "tags.*": of_items}

    result = redact({"tags": array(TEXT)}, rules, {"tags": ["t"]})

    assert result.values.get("tags") == left


@pytest.mark.parametrize(
    "more", [{"unclassified": "allow"}, {}], ids=["unclassified", "everything"]
)
@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (DROP, {}),
        (MASK, {"user": "***"}),
        (HIDE, {"user": HASH(USER["user"])}),
        ("identity", {"user": HASH(USER["user"])}),
        ("content", {}),
    ],
)
def test_hiding_an_object_hides_its_properties(redact, more, rule, left):
    rules = {"user": rule} | ({} if more else {"**": "operational"})

    assert redact(USERS, rules, USER, overlay=more).values == left


def test_a_legacy_category_that_hides_an_object_hides_its_properties(redact):
    users = {"user": USERS["user"] | {"categories": ["user-identifiable-information"]}}
    rules = {"x": "operational"}

    result = redact(users, rules, USER, overlay={"unclassified": "allow"})

    assert result.values == {"user": HASH(USER["user"])}


@pytest.mark.parametrize("named", ["user.name", "user.*", "*.name", "user.**.name"])
def test_a_rule_that_names_more_than_a_hidden_object_gets_its_way(redact, named):
    rules = {"user": DROP, named: "operational", "**": "operational"}

    values = redact(USERS, rules, USER).values

    assert values["user.name"] == "ann"


def test_what_no_rule_names_below_a_hidden_object_is_hidden_too(redact):
    rules = {"user": HIDE, "user.name": "operational"}

    values = redact(USERS, rules, USER).values

    assert values == {"user.name": "ann", "user.role": HASH("r")}


def test_a_rule_for_any_place_does_not_open_a_hidden_object(redact):
    rules = {"user": DROP, "**.name": "operational"}

    assert redact(USERS, rules, USER).values == {}


def test_scrubbing_an_object_is_not_undone_by_a_rule_for_everything(redact):
    rules = {"user": SCRUB, "**": "operational"}

    values = redact(USERS, rules, {"user": {"name": "ann@example.org"}}).values

    assert values == {"user.name": "[email]"}


def test_arrays_of_a_union_with_an_object_are_built_anew(redact):
    thing = obj(name=TEXT, secret=TEXT)
    either = {"anyOf": [thing, array(thing)]}
    rules = {"**": "operational", "**.secret": "content"}
    data = {"x": [{"name": "n", "secret": "s", "undeclared": "u"}]}

    assert redact({"x": either}, rules, data).values == {"x": [{"name": "n"}]}


def test_arrays_of_an_object_without_items_are_undeclared(redact):
    thing = {"properties": {"name": TEXT}}

    result = redact({"x": thing}, {"**": "operational"}, {"x": [{"name": "n"}]})

    assert result.values == {}
    assert result.remarks == {"undeclared_property": 1}


def test_a_union_with_an_object_keeps_its_types(redact):
    either = {"anyOf": [TEXT, obj(a=TEXT)]}

    result = redact({"x": either}, {"**": "operational"}, {"x": 5})

    assert result.values == {}
    assert result.remarks == {"undeclared_property": 1}


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ({"m.*": "operational"}, {"a@b.example": "v@b.example"}),
        ({"m.*": HIDE}, {HASH("a@b.example"): HASH("v@b.example")}),
        ({"m.*": "location"}, {HASH("a@b.example"): HASH("v@b.example")}),
        ({"m.*": SCRUB}, {"[email]": "[email]"}),
        ({"m.**": SCRUB}, {"[email]": "[email]"}),
        ({"m.*": MASK}, "***"),
        ({"m": MASK}, "***"),
        ({"m.*": DROP}, None),
        ({"m.*": HIDE, "m.a@b\\.example": SCRUB}, {"a@b.example": "[email]"}),
    ],
)
def test_what_is_done_to_a_maps_values_is_done_to_its_keys(redact, rules, left):
    data = {"m": {"a@b.example": "v@b.example"}}

    assert redact({"m": map_of(TEXT)}, rules, data).values.get("m") == left


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({}, HASH("f")),
        ({"files": "operational"}, "f"),
        ({"files.*": "operational"}, "f"),
    ],
)
def test_keys_that_nobody_classified_leave_as_their_hash(redact, more, key):
    rules = {"files.*.size": "operational"} | more
    data = {"files": {"f": {"size": "3"}}}

    result = redact({"files": map_of(obj(size=TEXT))}, rules, data)

    assert result.values == {"files": {key: {"size": "3"}}}


def test_masked_entries_of_a_map_share_one_key(redact):
    rules = {"m.*": MASK, "m.a": "operational"}

    result = redact({"m": FREE}, rules, {"m": {"a": 1, "b": 2, "c": 3}})

    assert result.values == {"m": {"a": 1, "***": "***"}}


def test_scrubbing_a_map_hides_what_its_keys_name_a_secret(redact):
    data = {"m": {"password": "hunter2", "n": "1"}}

    result = redact({"m": map_of(TEXT)}, {"m.*": SCRUB}, data)

    assert result.values == {"m": {"password": "[secret]", "n": "1"}}


def test_a_property_called_star_does_not_declare_the_others(redact):
    rules = {"m.**": "operational", "m.*.x": "content"}
    rows = {"m": array(obj(**{"*": TEXT}))}

    result = redact(rows, rules, {"m": [{"*": "1", "secret": "2"}]})

    assert result.values == {"m": [{"*": "1"}]}


@pytest.mark.parametrize(
    ("own", "left"), [(DROP, None), (HIDE, HASH({})), ("operational", {})]
)
def test_an_empty_value_goes_by_its_own_rule(redact, own, left):
    rules = {"m": own, "m.a": "operational"}

    assert redact({"m": FREE}, rules, {"m": {}}).values.get("m") == left


def test_a_rule_for_everything_reaches_into_the_maps_of_an_allowed_array(redact):
    of_texts = {"type": "object", "additionalProperties": TEXT}
    properties = {"a": {"type": "array", "items": of_texts}}
    rules = {name: {"action": "allow"} for name in ("a", "a.*")} | {
        "**": {"action": "mask"}
    }

    left = redact(properties, rules, {"a": [{}, {"a": "hidden"}]}).values

    assert left == {"a": [{}, "***"]}
