from jupyter_otel.event import Provenance, RedactedEvent, Slot, Source, Trust
from jupyter_otel.policy.folding import MAX_OPEN, Folder
from jupyter_otel.schema import AggregateRule

PROVENANCE = Provenance(Source.APP, Trust.SERVER, None)
SLOTS = [Slot(("tool",), None), Slot(("n",), None)]


def event(tool, n=0):
    return RedactedEvent(PROVENANCE, [tool, n], n, n, None)


def folder(*by, window_s=10.0):
    return Folder(AggregateRule(tuple((name,) for name in by), window_s), SLOTS)


def closed(folder, now_s):
    return [
        (fold.event.values, fold.subject, fold.count)
        for fold in folder.take_closed(now_s)
    ]


def test_events_alike_in_a_window_are_one_with_a_count():
    folds = folder("tool")

    folded = [folds.add(event("a", n), "", n) for n in range(3)]
    folds.add(event("b"), "", 5)

    assert folded == [False, True, True]
    assert closed(folds, 9) == []
    assert closed(folds, 10) == [(["a", 0], "", 3)]
    assert closed(folds, 15) == [(["b", 0], "", 1)]
    assert folds.next_end_s() is None


def test_people_are_kept_apart():
    folds = folder("tool")

    assert [folds.add(event("a"), who, 0) for who in ("ann", "bob", "ann")] == [
        False,
        False,
        True,
    ]


def test_a_window_that_is_over_takes_nothing_more():
    folds = folder("tool")
    folds.add(event("a", 1), "", 0)

    assert not folds.add(event("a", 2), "", 10)

    assert closed(folds, 25) == [(["a", 1], "", 1), (["a", 2], "", 1)]


def test_a_property_that_policy_drops_makes_no_difference():
    folds = folder("secret")

    folds.add(event("a"), "", 0)

    assert folds.add(event("b"), "", 1)


def test_too_many_windows_close_the_oldest_early():
    folds = folder("n")
    for n in range(MAX_OPEN + 2):
        folds.add(event("a", n), "", 0)

    assert [values for values, _, _ in closed(folds, 1)] == [["a", 0], ["a", 1]]


def test_the_next_end_is_that_of_the_oldest_window():
    folds = folder("tool")
    folds.add(event("a"), "", 3)
    folds.add(event("b"), "", 1)

    assert folds.next_end_s() == 11
