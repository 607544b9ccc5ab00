from hypothesis import given
from hypothesis import strategies as st

from jupyter_otel.spool.room import KeptRow, plan_eviction, plan_refusal
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.tally import Signal

_SIZES = st.integers(1, 50)
_PRIORITIES = st.integers(0, 3)


def new_row(size, priority):
    return NewRow(Signal.LOGS, "", "data", priority, 1, "r", b"x" * size)


_NEW = st.lists(st.builds(new_row, _SIZES, _PRIORITIES), max_size=8)
_KEPT = st.lists(st.tuples(_SIZES, _PRIORITIES), max_size=8).map(
    lambda rows: [
        KeptRow(number, "logs", 1, size, priority)
        for number, (size, priority) in enumerate(sorted(rows, key=lambda r: r[1]))
    ]
)


@given(_NEW, _KEPT, st.integers(0, 60))
def test_eviction_makes_all_fit_and_nothing_kept_is_worth_less_than_what_went(
    new, kept, free
):
    room = free + sum(row.size for row in kept)
    plan = plan_eviction(new, kept, free, room)
    kept_ids = {row.id for row in kept} - {row.id for row in plan.evict}
    size = sum(row.size for row in kept if row.id in kept_ids)

    assert size + sum(len(row.body) for row in plan.keep) <= room
    assert sorted(plan.keep + plan.lose) == sorted(new)
    gone = [row.priority for row in plan.evict]
    gone += [row.priority for row in plan.lose if len(row.body) <= room]
    stays = [row.priority for row in kept if row.id in kept_ids]
    stays += [row.priority for row in plan.keep]
    assert max(gone, default=0) <= min(stays, default=9)


@given(_NEW, st.integers(0, 100))
def test_refusal_never_exceeds_what_is_free_and_forgets_no_row(new, free):
    plan = plan_refusal(new, free)

    assert sum(len(row.body) for row in plan.keep) <= free
    assert sorted(plan.keep + plan.lose) == sorted(new)
    assert plan.evict == []
