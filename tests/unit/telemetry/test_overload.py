"""More than the worker can take: what goes first, and that it is told."""

from itertools import takewhile

from jupyter_otel.sources.pipeline_reports import PIPELINE_REPORT
from jupyter_otel.tally import Signal

GROUPS = ("interface", "executions", "security")


def schema_id(group):
    return f"https://example.org/{group}/v1"


def emit_until_full(telemetry, group):
    """Return how many events of a group were taken."""
    event = {"schema_id": schema_id(group), "data": {}}
    return len(list(takewhile(bool, iter(lambda: telemetry.emit(**event), None))))


def test_clicks_go_first_and_sign_ins_last_and_a_report_says_how_many(
    config, receiver, open_telemetry, tmp_path
):
    overlay = tmp_path / "groups.yaml"
    overlay.write_text(
        "schemas:\n"
        + "".join(
            f"  {schema_id(group)!r}: {{level: usage, group: {group}}}\n"
            for group in GROUPS
        )
    )
    config.OtelPolicy.files.append(str(overlay))
    telemetry = open_telemetry(config)
    for group in GROUPS:
        telemetry.register_schema({"$id": schema_id(group), "type": "object"})

    # Whoever holds the spool's lock keeps the worker from taking more than a batch.
    with telemetry.road.spool._lock:
        taken = [emit_until_full(telemetry, group) for group in GROUPS]
        again = [
            telemetry.emit(schema_id=schema_id(group), data={}) for group in GROUPS
        ]
    assert telemetry.flush(30)

    clicks, runs, sign_ins = taken
    assert (clicks >= 49_152, runs >= 13_106, sign_ins >= 3_275) == (True, True, True)
    assert again == [False, False, False]
    logs = telemetry.tally().logs
    # The report itself may have come too early once or twice.
    assert set(logs.dropped) == {"overload"}
    assert logs.dropped["overload"] >= 6
    assert logs.sent == sum(taken) + 1
    (report,) = [
        attributes
        for record in receiver.inbox.records(Signal.LOGS)
        for attributes in [{a.key: a.value for a in record.attributes}]
        if attributes["jupyter.schema.id"].string_value == PIPELINE_REPORT
    ]
    total = report["jupyter.event.total"].int_value
    assert total == report["jupyter.event.records"].int_value
    assert total == logs.dropped["overload"]
