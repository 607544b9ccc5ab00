"""Losses are told to whoever reads the records, once the road is open again."""

import pytest

from jupyter_otel.sources.pipeline_reports import PIPELINE_REPORT
from jupyter_otel.tally import DropReason, Signal
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from tests.unit.telemetry.conftest import SCHEMA

RUN = SCHEMA["$id"]


def reports(receiver):
    """Return the reports that arrived: severity, reason, records."""
    found = []
    for record in receiver.inbox.records(Signal.LOGS):
        attributes = {a.key: a.value for a in record.attributes}
        if attributes["jupyter.schema.id"].string_value == PIPELINE_REPORT:
            found.append(
                (
                    record.severity_text,
                    attributes["jupyter.event.reason"].string_value,
                    attributes["jupyter.event.records"].int_value,
                )
            )
    return found


def test_a_refused_record_is_reported_behind_the_next_that_is_taken(
    config, open_telemetry
):
    with HttpReceiver([Answer(400)]) as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        telemetry.emit(schema_id=RUN, data={"tool": "lost"})
        assert telemetry.flush()
        assert reports(receiver) == []

        telemetry.emit(schema_id=RUN, data={"tool": "taken"})
        assert telemetry.flush()

        assert reports(receiver) == [("WARN", "rejected", 1)]
    assert telemetry.tally().logs.sent == 2


def test_each_reason_of_a_loss_is_one_that_the_schema_knows(config, receiver):
    for durability in ("batched", "sync"):
        config.OtelSpool.durability = durability
        lost = [r for r in DropReason if r not in {"no_consent", "sampled"}]
        with Telemetry(config) as telemetry:
            for reason in lost:
                telemetry._books.accept(Signal.LOGS)
                telemetry._books.drop(Signal.LOGS, reason)
        told = {reason for _, reason, _ in reports(receiver)}
        assert told == {*lost} - {"invalid", "policy_changed", "too_large"}
        assert telemetry.tally().logs.dropped == dict.fromkeys(lost, 1)


def test_what_is_lost_at_the_end_is_told_by_the_next_process(config, open_telemetry):
    with HttpReceiver([Answer(400)], then=Answer(503)) as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        telemetry.emit(schema_id=RUN, data={"tool": "lost"})
        assert telemetry.flush()
        telemetry.close(0.3)
    with HttpReceiver() as receiver:
        config.OtelExport.endpoint = receiver.url
        assert open_telemetry(config).flush()

        assert reports(receiver) == [("WARN", "rejected", 1)]


@pytest.mark.parametrize("level", ["operational", "usage", "audit"])
def test_reports_may_be_excluded(config, open_telemetry, level):
    config.OtelPolicy.level = level
    config.OtelPolicy.exclude = [PIPELINE_REPORT]
    with HttpReceiver() as receiver:
        config.OtelExport.endpoint = receiver.url
        telemetry = open_telemetry(config)
        telemetry._books.accept(Signal.LOGS)
        telemetry._books.drop(Signal.LOGS, DropReason.OVERLOAD)
        telemetry.close()

        assert receiver.inbox.requests() == []
    assert telemetry.tally().logs.refused == {}
