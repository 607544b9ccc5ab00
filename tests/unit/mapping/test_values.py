import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from jupyter_otel.mapping.attributes import AttributeEncoder
from jupyter_otel.mapping.values import any_value, cut, json_text, shape
from jupyter_otel.mapping.wire import varint

SCALARS = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(
    SCALARS | st.integers() | st.floats() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "shaped"),
    [
        ("text", "text"),
        (True, True),
        (7, 7),
        (2**63 - 1, 2**63 - 1),
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ([], []),
        (["a", "b"], ["a", "b"]),
        ([True, False], [True, False]),
        ([1, 2], [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        ([1, "a"], '[1,"a"]'),
        ([True, 1], "[true,1]"),
        ([None], "[null]"),
        ([1, math.nan], '[1,"NaN"]'),
        ([2**64], '["18446744073709551616"]'),
        ([[1]], "[[1]]"),
        ([{"a": 1}], '[{"a":1}]'),
        ({}, "{}"),
        ({"b": {"c": None}}, '{"b":{"c":null}}'),
        ({"a": math.inf, "b": 2**70}, '{"a":"Infinity","b":"1180591620717411303424"}'),
    ],
)
def test_a_value_takes_the_shape_that_the_contract_gives_it(value, shaped):
    found = shape(value)

    assert found == shaped
    assert type(found) is type(shaped)


def test_a_list_of_one_kind_keeps_the_type_of_its_items():
    assert [type(item) for item in shape([1, 2.5])] == [float, float]
    assert [type(item) for item in shape([True, False])] == [bool, bool]


def test_json_text_of_very_deep_values_is_whole():
    value = "end"
    for _ in range(300):
        value = [value]

    assert json.loads(json_text(value)) == value


def test_the_length_limit_cuts_text_also_inside_arrays():
    assert cut("abcdef", 3) == "abc"
    assert cut(["abcdef", "gh"], 3) == ["abc", "gh"]
    assert cut(123456, 3) == 123456


@given(st.integers(0, 2**64 - 1))
def test_varints_read_back(number):
    value = AnyValue.FromString(b"\x18" + varint(number))

    assert value.int_value % 2**64 == number


def plainly(key, value):
    """Encode with the official classes what `shape` gives."""
    shaped = shape(value)
    record = LogRecord()
    record.attributes.append(KeyValue(key=key, value=message(shaped)))
    return record


def message(shaped):
    if isinstance(shaped, bool):
        return AnyValue(bool_value=shaped)
    if isinstance(shaped, str):
        return AnyValue(string_value=shaped)
    if isinstance(shaped, int):
        return AnyValue(int_value=shaped)
    if isinstance(shaped, float):
        return AnyValue(double_value=shaped)
    value = AnyValue()
    value.array_value.values.extend(message(item) for item in shaped)
    if not shaped:
        value.array_value.SetInParent()
    return value


@given(JSON)
def test_any_value_is_what_the_official_classes_write(value):
    if value is None:
        return
    assert AnyValue.FromString(any_value(shape(value))) == message(shape(value))


@given(st.text(min_size=1), st.lists(JSON.filter(lambda value: value is not None)))
def test_an_encoder_writes_what_the_official_classes_write(key, values):
    encoder = AttributeEncoder(6, key)

    # Twice: what is remembered must read as what was not.
    for value in values * 2:
        assert LogRecord.FromString(encoder.encode(value)) == plainly(key, value)


def test_equal_values_of_other_types_stay_apart():
    encoder = AttributeEncoder(6, "k")

    fields = [
        LogRecord.FromString(encoder.encode(value))
        .attributes[0]
        .value.WhichOneof("value")
        for value in (1, True, 1.0, "1", 0, False, 0.0)
    ]

    assert fields == [
        "int_value",
        "bool_value",
        "double_value",
        "string_value",
        "int_value",
        "bool_value",
        "double_value",
    ]


def test_lone_surrogates_are_replaced():
    encoded = AttributeEncoder(6, "k").encode("a\ud800b")

    assert LogRecord.FromString(encoded).attributes[0].value.string_value == "a\ufffdb"


def test_memory_does_not_grow_with_the_values():
    encoder = AttributeEncoder(6, "k")

    for number in range(5000):
        encoder.encode(str(number))
        encoder.encode(number)
        encoder.encode("x" * (number + 100))

    # Nothing public tells what is remembered.
    assert len(encoder.texts) == len(encoder.integers) == 512
    assert len(encoder.texts._heads) == 512
