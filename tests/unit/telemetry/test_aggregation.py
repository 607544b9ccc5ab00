import pytest
import yaml

from jupyter_otel.tally import Signal
from tests.unit.telemetry.conftest import SCHEMA

RUN = SCHEMA["$id"]


@pytest.fixture
def aggregated(config, tmp_path):
    """Events of one tool become one record in a window."""

    def overlay(window_s):
        entry = {
            "level": "usage",
            "properties": {"tool": "operational", "n": "operational"},
            "aggregate": {"by": ["tool"], "window_s": window_s},
        }
        (tmp_path / "overlay.yaml").write_text(
            yaml.safe_dump({"schemas": {RUN: entry}})
        )
        return config

    return overlay


def found(receiver):
    return [
        {
            pair.key: pair.value.string_value or pair.value.int_value
            for pair in record.attributes
            if pair.key.startswith(("jupyter.event.", "jupyter.aggregate."))
        }
        for record in receiver.inbox.records(Signal.LOGS)
    ]


def emit_runs(telemetry):
    for n, tool in enumerate(["lint", "lint", "test", "lint"]):
        assert telemetry.emit(schema_id=RUN, data={"tool": tool, "n": n})


def test_a_flush_closes_the_windows_and_the_books_balance(
    aggregated, receiver, open_telemetry
):
    telemetry = open_telemetry(aggregated(3600))
    emit_runs(telemetry)

    assert telemetry.flush()

    assert found(receiver) == [
        {
            "jupyter.event.tool": "lint",
            "jupyter.event.n": 0,
            "jupyter.aggregate.count": 3,
        },
        {
            "jupyter.event.tool": "test",
            "jupyter.event.n": 2,
            "jupyter.aggregate.count": 1,
        },
    ]
    tally = telemetry.tally().logs
    assert (tally.accepted, tally.sent, tally.aggregated) == (4, 2, 2)
    assert tally.pending == 0


def test_a_window_ends_by_itself(aggregated, receiver, open_telemetry):
    telemetry = open_telemetry(aggregated(0.2))
    emit_runs(telemetry)

    receiver.inbox.wait_for_requests(1)

    assert found(receiver)[0]["jupyter.aggregate.count"] == 3


def test_closing_sends_what_is_in_open_windows(aggregated, receiver, open_telemetry):
    telemetry = open_telemetry(aggregated(3600))
    emit_runs(telemetry)

    telemetry.close()

    assert [record["jupyter.aggregate.count"] for record in found(receiver)] == [3, 1]


def test_under_sync_every_event_is_a_record(aggregated, receiver, open_telemetry):
    config = aggregated(3600)
    config.OtelSpool.durability = "sync"
    telemetry = open_telemetry(config)

    emit_runs(telemetry)
    telemetry.flush()

    assert len(found(receiver)) == 4


def test_a_preview_shows_one_event(aggregated, open_telemetry):
    telemetry = open_telemetry(aggregated(3600))

    assert telemetry.preview(RUN, {"tool": "lint"})["exported"]
