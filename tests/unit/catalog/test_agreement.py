"""jsonschema-rs and jsonschema give one verdict, but for the differences listed here.

The lists are the whole truth: what is generated leaves the known ones out, so that a
new one fails, and each known one is shown to be there still.
"""

import math

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

TEN_TO_30 = 10**30

KNOWN_DIFFERENCES = {
    # name: (schema, data, jsonschema's verdict; jsonschema-rs says the contrary)
    "not a number is no number": ({"type": "number"}, math.nan, True),
    "infinity is no number": ({"type": "number"}, math.inf, True),
    "infinity is below a maximum": ({"maximum": 3}, math.inf, False),
    "multipleOf is decimal": ({"multipleOf": 0.01}, 19.99, False),
    "digits are ASCII": ({"pattern": r"^\d+$"}, "\u0663", True),
    "letters are ASCII": ({"pattern": r"^\w+$"}, "\u00e9", True),
    "a separator is no space": ({"pattern": r"^\s$"}, "\x1f", True),
    "a byte order mark is a space": ({"pattern": r"^\s$"}, "\ufeff", False),
    "$ is the end, not a newline before it": ({"pattern": "^a$"}, "a\n", True),
    "a big integer equals its float": ({"enum": [TEN_TO_30]}, 1e30, False),
    "an e-mail address has two sides": ({"format": "email"}, "@", True),
    "a regex is ECMA's": ({"format": "regex"}, "(?P<name>a)", True),
    "a tuple is an array": ({"type": "array"}, (1,), False),
}

# ASCII without controls: \d, \w, \s and $ mean the same to both.
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=4)
ANY_TEXTS = TEXTS | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
NUMBERS = (
    st.integers(-5, 5)
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.sampled_from([0.5, 1.0, -1.5])
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
NAMES = st.sampled_from(["a", "b", "c"])
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)
TYPES = st.sampled_from(
    ["null", "boolean", "integer", "number", "string", "array", "object"]
)
SIZES = st.integers(0, 3)
# Equality of big integers with floats is known to differ.
SMALL = st.none() | st.booleans() | st.integers(-5, 5) | TEXTS
ASSERTIONS = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(SMALL, min_size=1, max_size=3, unique_by=repr),
        "const": SMALL,
        "minimum": NUMBERS,
        "exclusiveMaximum": NUMBERS,
        "multipleOf": st.integers(1, 4),
        "minLength": SIZES,
        "maxLength": SIZES,
        "pattern": st.sampled_from(["^a", "[0-9]+", r"^\d", r"\w", "^[^ ]*$", "a|b"]),
        "minItems": SIZES,
        "maxItems": SIZES,
        "uniqueItems": st.booleans(),
        "minProperties": SIZES,
        "maxProperties": SIZES,
        "required": st.lists(NAMES, max_size=2, unique=True),
        "default": SMALL,
    },
)


def _composed(inner):
    some = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "patternProperties": st.dictionaries(
                st.sampled_from(["^a", "b$", "[0-9]"]), inner, max_size=2
            ),
            "additionalProperties": inner,
            "propertyNames": inner,
            "items": inner | some,
            "additionalItems": inner,
            "contains": inner,
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "dependencies": st.dictionaries(NAMES, inner, max_size=1),
        },
    )


def _judged_by_both(composed):
    """Leave out what makes jsonschema raise: it counts the items of a boolean."""
    if isinstance(composed.get("items"), bool):
        composed.pop("additionalItems", None)
    return composed


SCHEMAS = st.recursive(
    ASSERTIONS | st.booleans(),
    lambda inner: st.builds(
        lambda a, b: a | b, ASSERTIONS, _composed(inner).map(_judged_by_both)
    ),
    max_leaves=6,
)


def verdicts(schema, data):
    slow = jsonschema.Draft7Validator(
        schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )
    return slow.is_valid(data), jsonschema_rs.Draft7Validator(schema).is_valid(data)


@settings(max_examples=400, deadline=None)
@given(schema=SCHEMAS, data=DATA)
def test_both_libraries_give_one_verdict(schema, data):
    slow, fast = verdicts(schema, data)

    assert slow == fast


@settings(max_examples=100, deadline=None)
@given(data=ANY_TEXTS, size=SIZES)
def test_both_libraries_count_characters_alike(data, size):
    slow, fast = verdicts({"maxLength": size}, data)

    assert slow == fast


@pytest.mark.parametrize("name", KNOWN_DIFFERENCES)
def test_a_known_difference_is_still_there(name):
    schema, data, slow = KNOWN_DIFFERENCES[name]

    assert verdicts(schema, data) == (slow, not slow)
