import json
import math

import pytest

from jupyter_otel_kernel.plain_json import json_bytes


class Hostile(str):
    """Raises whatever is done with it."""

    __slots__ = ()

    def __str__(self):
        raise RuntimeError

    __len__ = __iter__ = __getitem__ = __hash__ = __eq__ = encode = __str__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (object(), None),
        ({1, 2}, None),
        (b"bytes", None),
        (2**63, "0x8000000000000000"),
        (-(2**63) + 1, -(2**63) + 1),
        (True, True),
        (False, False),
        (1e-300, 1e-300),
        ('"\\\n\x00é', '"\\\n\x00é'),
        ("\ud800", "?"),
        ("x" * 5000, "x" * 4096),
        (lambda: Hostile("h"), "h"),
        ({1: "no text", "key": (1, [2])}, {"key": [1, [2]]}),
        (list(range(200)), list(range(128))),
    ],
)
def test_a_value_is_made_plain(value, expected):
    value = value() if callable(value) else value  # whose id no test can show
    assert json.loads(json_bytes({"value": value})) == {"value": expected}


def test_a_value_that_contains_itself_is_cut_off():
    value = {}
    value["value"] = value
    deep = json.loads(json_bytes(value))
    for _ in range(8):
        deep = deep["value"]
    assert deep is None
