import pytest

from jupyter_otel.sources.allowance import Allowance


class Clock:
    """A monotonic clock that is set by hand."""

    now_s = 100.0

    def __call__(self):
        """Tell the time."""
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def test_a_burst_is_free_and_a_debt_is_waited_for(clock):
    allowance = Allowance(per_s=10, burst=100, now_s=clock)

    allowance.charge(100)
    assert allowance.wait_s() == 0
    allowance.charge(20)
    assert allowance.wait_s() == 2


def test_time_brings_back_no_more_than_the_burst(clock):
    allowance = Allowance(per_s=10, burst=100, now_s=clock)
    allowance.charge(120)

    clock.now_s += 2
    assert allowance.wait_s() == 0
    clock.now_s += 1000
    allowance.charge(110)
    assert allowance.wait_s() == 1
