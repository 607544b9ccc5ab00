"""Things that are due after a while each, on one timer."""

from jupyter_otel.sources.deadlines import Deadlines
from tests.unit.sources.kernel_rig import MS, Clock


class Timed(Clock):
    """A clock that also tells how time passes."""

    def monotonic(self):
        """Return the seconds."""
        return self.ns / 1e9


def made(delay_s=1.0):
    clock, due = Timed(), []
    return clock, due, Deadlines(delay_s, clock, due.append)


def test_each_is_due_in_its_own_time_by_one_timer():
    clock, due, deadlines = made()
    deadlines.add("first")
    clock.ns += 600 * MS
    deadlines.add("second")
    assert len(clock.timers) == 1

    clock.ns -= 600 * MS  # where the timer was set
    clock.fire()
    [(delay_s, _)] = clock.timers
    assert (due, round(delay_s, 6)) == (["first"], 0.6)

    clock.fire()
    assert (due, clock.timers) == (["first", "second"], [])
    assert "second" not in deadlines


def test_what_was_discarded_is_never_due():
    clock, due, deadlines = made()
    deadlines.add("gone")
    deadlines.discard("gone")
    deadlines.discard("unknown")
    clock.fire()

    assert (due, clock.timers) == ([], [])


def test_what_is_due_may_be_added_again_and_end_others():
    clock, due, deadlines = made()

    def again(item):
        due.append(item)
        deadlines.discard("other")
        if len(due) < 3:
            deadlines.add(item)

    deadlines = Deadlines(1.0, clock, again)
    deadlines.add("one")
    deadlines.add("other")
    for _ in range(3):
        assert len(clock.timers) == 1
        clock.fire()

    assert (due, clock.timers) == (["one"] * 3, [])
