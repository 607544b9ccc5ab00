import pytest

from jupyter_otel.cli.journal import Span
from jupyter_otel.cli.waterfall import traces, waterfall


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    """Make the width and the time zone the test's own."""
    monkeypatch.setenv("COLUMNS", "72")


def span(span_id, start_ms, end_ms, parent="", trace="t", **changes):
    whole = Span(
        trace_id=trace,
        span_id=span_id,
        parent_span_id=parent,
        name=span_id,
        kind="internal",
        start_ns=start_ms * 10**6,
        end_ns=end_ms * 10**6,
        failed=False,
        attributes={},
        resource={},
    )
    return whole._replace(**changes)


def drawn(*spans):
    [trace] = traces(spans)
    return waterfall(trace).splitlines()[1:]


def test_children_stand_below_their_parents_and_bars_are_to_scale():
    failed = {"failed": True, "attributes": {"error.type": "ValueError"}}
    assert drawn(
        span("last", 320, 400, parent="client", **failed),
        span("first", 0, 200, parent="client"),
        span("inner", 100, 200, parent="first"),
    ) == [
        "  first    ━━━━━━━━━━━━━━━━                   200 ms",
        "    inner         ━━━━━━━━                    100 ms",
        "  last                             ━━━━━━      80 ms  ERROR ValueError",
    ]


def test_siblings_stand_in_the_order_of_their_beginning():
    lines = drawn(
        span("root", 0, 9),
        span("second", 2, 3, parent="root"),
        span("first", 1, 4, parent="root"),
    )
    assert [line.split()[0] for line in lines] == ["root", "first", "second"]


def test_a_span_that_takes_no_time_has_a_bar():
    assert drawn(span("a", 5, 5)) == [f"  a  ━{' ' * 36}      0 µs"]


def test_the_head_names_the_parent_that_another_program_has():
    [trace] = traces([span("a", 0, 1, parent="beef"), span("b", 1, 2, parent="beef")])
    head = waterfall(trace).splitlines()[0]
    assert head.startswith("trace t   ")
    assert head.endswith("   2 ms   2 spans   below the client's span beef")


def test_traces_come_in_the_order_of_their_beginning():
    found = traces([span("b", 5, 6, trace="late"), span("a", 1, 9, trace="early")])
    assert [trace.trace_id for trace in found] == ["early", "late"]


def test_spans_that_are_each_others_parents_are_drawn_once_each():
    lines = drawn(span("a", 0, 2, parent="b"), span("b", 1, 2, parent="a"))
    assert sorted(line.split()[0] for line in lines) == ["a", "b"]


def test_a_name_cannot_move_the_cursor():
    [line] = drawn(span("a", 0, 1, name="\x1b[2Jx"))
    assert line.startswith("  \N{REPLACEMENT CHARACTER}[2Jx")


def test_json_keeps_64_bit_times_as_text():
    [trace] = traces([span("a", 1, 3)])
    shown = trace.to_json()
    assert shown["start_ns"] == "1000000"
    assert shown["duration_ms"] == 2.0
    assert shown["spans"][0]["end_ns"] == "3000000"
