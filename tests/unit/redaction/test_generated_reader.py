"""The function that is written for a plan against the plain road."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_otel.redaction.generated_reader import MAX_SLOTS, compile_reader
from jupyter_otel.redaction.object_plan import ObjectPlan, PlainReader
from jupyter_otel.tally import Remark

NAMES = ["a", "'", '"""', "\\", "{a}", "\n v0 = 1", "\ud800"]
UNKNOWN = "nobody declared it"
KEYS = st.sampled_from(NAMES)


def objects(values):
    return st.fixed_dictionaries({}, optional=dict.fromkeys([*NAMES, UNKNOWN], values))


TYPES = st.none() | st.frozensets(
    st.sampled_from([str, int, float, bool, list, dict, type(None)]), min_size=1
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | objects(inner),
    max_leaves=12,
)
REDACTS = st.sampled_from([None, repr, lambda _value: None])


@st.composite
def object_plans(draw, depth=0):
    """Return a plan whose slots are not numbered yet."""
    plan = ObjectPlan()
    named = draw(st.frozensets(KEYS, max_size=4))
    taken = draw(st.sets(st.sampled_from(sorted(named)))) if named else set()
    for key in sorted(taken):
        if depth < 2 and draw(st.booleans()):
            plan.branches.append((key, draw(object_plans(depth + 1))))
        if draw(st.booleans()):
            plan.leaves.append((key, 0, draw(TYPES), draw(REDACTS)))
    if draw(st.booleans()):
        plan.rest = ("", 0, None, draw(REDACTS))
    plan.leftover = draw(st.sampled_from([None, Remark.UNDECLARED_PROPERTY]))
    plan.named = named
    plan.unclassified = draw(st.frozensets(st.sampled_from(sorted(named or "-"))))
    plan.expected = named - plan.unclassified
    return plan


def numbered(plan, first=0):
    """Give each leaf its slot; return how many there are now."""
    for place, (key, _, types, redact) in enumerate(plan.leaves):
        plan.leaves[place] = (key, first + place, types, redact)
    first += len(plan.leaves)
    if plan.rest is not None:
        plan.rest = (plan.rest[0], first, *plan.rest[2:])
        first += 1
    for _, branch in plan.branches:
        first = numbered(branch, first)
    return first


def read_both_ways(plan, data):
    size = numbered(plan)
    seen = []
    for kind in ("plain", "generated"):
        remarks = Counter()
        reader = PlainReader(
            plan, size, lambda remark, times, r=remarks: r.update({remark: times})
        )
        if kind == "generated":
            reader = compile_reader(plan, size, reader)
        seen.append((repr(reader(data)), remarks))
    return seen


@settings(max_examples=400)
@given(object_plans(), objects(VALUES))
def test_the_generated_reader_reads_and_counts_what_the_plain_one_does(plan, data):
    plain, generated = read_both_ways(plan, data)

    assert generated == plain


def test_an_undeclared_key_or_type_is_counted_beside_every_declared_one():
    plan = ObjectPlan(
        leaves=[("a", 0, frozenset({str}), repr), ("b", 1, None, None)],
        expected=frozenset("ab"),
        named=frozenset("ab"),
    )

    for data in ({"a": "1", "x": 1}, {"a": "1", "b": 2, "x": 1}, {"a": 1, "b": 2}):
        plain, generated = read_both_ways(plan, data)

        assert generated == plain
        assert plain[1] == {Remark.UNDECLARED_PROPERTY: 1}


def test_a_schema_too_wide_to_be_compiled_in_no_time_is_read_plainly():
    size = MAX_SLOTS + 1
    names = [f"p{number}" for number in range(size)]
    plan = ObjectPlan(leaves=[(name, n, None, None) for n, name in enumerate(names)])
    plain = PlainReader(plan, size, lambda _remark, _times: None)

    reader = compile_reader(plan, size, plain)

    assert reader is plain
    assert reader({"p7": "x"}).index("x") == 7
