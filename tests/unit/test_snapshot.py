import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_otel.snapshot import read_snapshot, take_snapshot

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_any_json_object_comes_back_as_it_was(data):
    assert read_snapshot(take_snapshot(data)) == data


def test_a_later_change_does_not_reach_the_snapshot():
    data = {"list": [1]}
    snapshot = take_snapshot(data)

    data["list"].append(2)

    assert read_snapshot(snapshot) == {"list": [1]}


@pytest.mark.parametrize("number", [math.inf, -math.inf, 2**64, -(2**70)])
def test_numbers_that_strict_json_lacks_are_kept(number):
    data = read_snapshot(take_snapshot({"a": [number], "b": None}))

    assert data == {"a": [number], "b": None}
    assert type(data["a"][0]) is type(number)  # 2**64 == 2.0**64


def test_nan_is_kept():
    (value,) = read_snapshot(take_snapshot({"a": {"b": math.nan}}))["a"].values()

    assert math.isnan(value)


def test_lone_surrogates_are_replaced_and_pairs_joined():
    data = {"lone": "a\ud800b", "pair": "\ud83d\ude00"}

    assert read_snapshot(take_snapshot(data)) == {"lone": "a\ufffdb", "pair": "😀"}


def test_keys_that_are_numbers_become_text():
    assert read_snapshot(take_snapshot({1: "a"})) == {"1": "a"}


def test_a_value_orjson_knows_reads_alike_on_both_roads():
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    text = "2026-01-02T00:00:00+00:00"

    assert read_snapshot(take_snapshot({"a": moment})) == {"a": text}
    assert read_snapshot(take_snapshot({"a": moment, "b": 2**80}))["a"] == text


def cycle():
    data = {}
    data["self"] = data
    return data


def nested(levels):
    data = {}
    for _ in range(levels):
        data = {"in": data}
    return data


@pytest.mark.parametrize(
    "data",
    [
        {"a": b"bytes"},
        {"a": object()},
        {"a": {1, 2}},
        {("tuple", "key"): 1},
        cycle(),
        nested(100_000),
        [1],
        "text",
        None,
        7,
    ],
    ids=[
        "bytes",
        "object",
        "set",
        "key",
        "cycle",
        "deep",
        "list",
        "str",
        "none",
        "int",
    ],
)
def test_what_is_no_json_object_has_no_snapshot(data):
    assert take_snapshot(data) is None


def test_three_hundred_levels_are_no_problem():
    assert read_snapshot(take_snapshot(nested(300))) == nested(300)
