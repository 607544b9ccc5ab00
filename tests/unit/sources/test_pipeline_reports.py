# ruff: noqa: D101, D102 - what the stand-ins do is in their names
import pytest

from jupyter_otel.sources.pipeline_reports import PIPELINE_REPORT, PipelineReports
from jupyter_otel.tally import Books, DropReason, Signal


class Intake:
    """Takes reports in, or does not."""

    def __init__(self, *, admitted=True):
        self.admitted = admitted
        self.is_full = False
        self.emitted = []

    def find(self, schema_id):
        assert schema_id == PIPELINE_REPORT
        return schema_id

    def admits(self, _schema):
        return self.admitted

    def emit(self, _schema, data):
        if not self.is_full:
            self.emitted.append(data)
        return not self.is_full


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def books():
    return Books()


@pytest.fixture
def intake():
    return Intake()


@pytest.fixture
def reports(books, intake, clock):
    return PipelineReports(books, intake, clock)


def test_where_nothing_was_lost_nothing_is_reported(reports, intake):
    reports.report()
    reports.report_last()

    assert intake.emitted == []


def test_a_loss_is_reported_with_how_many_and_over_which_time(
    reports, books, intake, clock
):
    books.drop(Signal.LOGS, DropReason.OVERLOAD, 7)
    clock.now_s += 1.5

    reports.report()

    assert intake.emitted == [
        {
            "signal": "logs",
            "reason": "overload",
            "records": 7,
            "total": 7,
            "period_ms": 1500,
        }
    ]


def test_within_a_minute_there_is_no_second_report_but_the_last(
    reports, books, intake, clock
):
    books.drop(Signal.TRACES, DropReason.REJECTED, 1)
    reports.report()
    books.drop(Signal.TRACES, DropReason.REJECTED, 2)
    clock.now_s += 59
    reports.report()
    assert len(intake.emitted) == 1

    reports.report_last()

    assert intake.emitted[1:] == [
        {
            "signal": "traces",
            "reason": "rejected",
            "records": 2,
            "total": 3,
            "period_ms": 59000,
        }
    ]


def test_after_a_minute_only_what_is_new_is_reported(reports, books, intake, clock):
    books.drop(Signal.LOGS, DropReason.SPOOL_FULL, 4)
    reports.report()
    books.drop(Signal.LOGS, DropReason.EXPIRED, 5)
    clock.now_s += 60

    reports.report()

    assert [(r["reason"], r["records"]) for r in intake.emitted] == [
        ("spool_full", 4),
        ("expired", 5),
    ]


@pytest.mark.parametrize(
    "reason", ["invalid", "no_consent", "sampled", "policy_changed", "too_large"]
)
def test_what_was_decided_is_no_loss(reports, books, intake, reason):
    books.drop(Signal.LOGS, DropReason(reason))

    reports.report()

    assert intake.emitted == []


def test_a_policy_that_does_not_want_reports_gets_none(books, clock):
    intake = Intake(admitted=False)
    books.drop(Signal.LOGS, DropReason.OVERLOAD)

    PipelineReports(books, intake, clock).report()

    assert intake.emitted == []


def test_a_report_that_finds_no_room_is_made_again(reports, books, intake):
    books.drop(Signal.LOGS, DropReason.OVERLOAD, 7)
    intake.is_full = True
    reports.report()
    intake.is_full = False

    reports.report()

    assert [(r["records"], r["total"]) for r in intake.emitted] == [(7, 7)]
