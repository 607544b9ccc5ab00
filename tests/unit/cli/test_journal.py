import json

import pytest

from jupyter_otel.cli.journal import Journal, LogRecord, Span, log_records, spans
from jupyter_otel.tally import Signal

SCHEMA_ID = "https://example.org/tools/run/v1"


def attribute(key, **value):
    return {"key": key, "value": value}


def line_of(*records, resource=()):
    scopes = [{"logRecords": list(records)}]
    whole = {"resource": {"attributes": list(resource)}, "scopeLogs": scopes}
    return json.dumps({"resourceLogs": [whole]})


RECORD = {
    "timeUnixNano": "5000000001",
    "severityText": "INFO",
    "eventName": "org.example.tools.run",
    "body": {"stringValue": "org.example.tools.run tool=x"},
    "traceId": "0a" * 16,
    "spanId": "0b" * 8,
    "attributes": [
        attribute("jupyter.schema.id", stringValue=SCHEMA_ID),
        attribute("n", intValue="9007199254740993"),
        attribute("yes", boolValue=True),
        attribute("half", doubleValue=0.5),
        attribute("list", arrayValue={"values": [{"intValue": "1"}, {}]}),
        attribute("none", arrayValue={}),
        attribute("map", kvlistValue={"values": [attribute("k", stringValue="v")]}),
    ],
}


def test_a_log_record_is_read_whole():
    service = attribute("service.name", stringValue="jupyter-server")
    [record] = log_records([line_of(RECORD, resource=[service])])
    assert record == LogRecord(
        time_ns=5_000_000_001,
        event_name="org.example.tools.run",
        severity="INFO",
        body="org.example.tools.run tool=x",
        trace_id="0a" * 16,
        span_id="0b" * 8,
        attributes={
            "jupyter.schema.id": SCHEMA_ID,
            "n": 9007199254740993,
            "yes": True,
            "half": 0.5,
            "list": [1, None],
            "none": [],
            "map": {"k": "v"},
        },
        resource={"service.name": "jupyter-server"},
    )


def test_the_observed_time_and_the_attribute_stand_in_for_what_is_missing():
    bare = {
        "observedTimeUnixNano": "7",
        "attributes": [attribute("otel.event.name", stringValue="a.b")],
    }
    [record] = log_records([line_of(bare)])
    assert (record.time_ns, record.event_name) == (7, "a.b")


def test_a_span_is_read_whole():
    span = {
        "traceId": "0a" * 16,
        "spanId": "0b" * 8,
        "parentSpanId": "0c" * 8,
        "name": "execute",
        "kind": 1,
        "startTimeUnixNano": "1",
        "endTimeUnixNano": "3",
        "status": {"code": 2},
    }
    [found] = spans(
        [json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})]
    )
    assert found == Span(
        trace_id="0a" * 16,
        span_id="0b" * 8,
        parent_span_id="0c" * 8,
        name="execute",
        kind="internal",
        start_ns=1,
        end_ns=3,
        failed=True,
        attributes={},
        resource={},
    )


@pytest.mark.parametrize(
    ("glob", "count"), [("*", 1), ("https://example.org/*", 1), ("*/v2", 0)]
)
def test_a_glob_chooses_by_schema_id(glob, count):
    assert len(list(log_records([line_of(RECORD)], glob))) == count


@pytest.mark.parametrize("line", ["", "{", "[]", "3", '{"resourceSpans": []}'])
def test_a_line_of_something_else_is_passed_over(line):
    assert len(list(log_records([line, line_of(RECORD)]))) == 1


def test_rotated_files_are_read_first_and_nothing_twice(tmp_path):
    journal = Journal(tmp_path, Signal.LOGS)
    live, old = tmp_path / "logs.jsonl", tmp_path / "logs.1.jsonl"
    live.write_text("one\ntwo\nhal")
    assert list(journal.lines()) == ["one\n", "two\n"]
    live.write_text("one\ntwo\nhalf\n")
    live.replace(old)
    live.write_text("new\n")
    assert list(journal.lines()) == ["half\n", "new\n"]
    assert list(journal.lines()) == []


def test_other_signals_and_an_empty_folder_have_no_lines(tmp_path):
    (tmp_path / "traces.jsonl").write_text("x\n")
    assert list(Journal(tmp_path, Signal.LOGS).lines()) == []
