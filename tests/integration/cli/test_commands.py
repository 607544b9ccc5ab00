"""Every command through its entry point, as a process of its own."""

import json
import signal
import time

import pytest
import yaml

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver

EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
TOOL = "https://example.org/tools/run/v1"
TOOL_SCHEMA = {
    "$id": TOOL,
    "type": "object",
    "properties": {
        "tool": {"type": "string"},
        "exit": {"type": "integer", "categories": ["unrestricted"]},
    },
    "required": ["tool"],
}
USAGE = "--OtelPolicy.level=usage"
INCLUDE = f"--OtelPolicy.include={TOOL}"
COMMANDS = (
    "demo",
    "init",
    "doctor",
    "schemas",
    "preview",
    "emit",
    "events",
    "traces",
    "status",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli, command):
    status, out, err = cli(command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: jupyter otel {command} ")
    assert "--config FILE" in out


def test_the_servers_file_beats_ours_and_the_command_line_beats_both(cli):
    cli.write("config/jupyter_otel_config.json", {"OtelPolicy": {"level": "audit"}})
    assert "OtelPolicy.level is audit" in cli("doctor")[1]
    cli.write("config/jupyter_server_config.py", "c.OtelPolicy.level = 'operational'")
    assert "OtelPolicy.level is operational" in cli("doctor")[1]
    assert "OtelPolicy.level is usage" in cli("doctor", USAGE)[1]
    only = cli.write("mine.py", "c.OtelConsent.mode = 'mandatory'")
    out = cli("doctor", "--config", only)[1]
    assert "OtelPolicy.level is none" in out
    assert "OtelConsent.mode is mandatory" in out


def test_a_broken_configuration_file_is_named(cli):
    path = cli.write("config/jupyter_server_config.py", "c.OtelPolicy.level = usage")
    status, _, err = cli("status")
    assert status == 2
    assert err == (
        f"jupyter otel: {path} must be a configuration that can be read, got "
        "NameError: name 'usage' is not defined. Correct the file.\n"
    )


def test_an_emitted_event_is_found_among_the_events(cli):
    schema = cli.write("tool.json", TOOL_SCHEMA)
    done = cli(
        *("emit", USAGE, INCLUDE, "--register", schema),
        *("--schema", TOOL, "--data", '{"tool": "s3cret", "exit": 3}'),
    )
    assert done == (0, "Sent.\n", "")
    status, out, _ = cli("events", "--json")
    [record] = map(json.loads, out.splitlines())
    assert status == 0
    assert record["event_name"] == "org.example.tools.run"
    assert record["attributes"]["jupyter.event.exit"] == 3
    assert "s3cret" not in out
    assert "org.example.tools.run" in cli("events")[1]
    assert cli("events", "--schema", "other*")[:2] == (0, "")


@pytest.mark.parametrize("command", ["events", "traces"])
def test_where_records_go_instead_of_to_files_is_said(cli, command):
    cli.export.mkdir(parents=True)
    endpoint = "--OtelExport.endpoint=http://me:s3cret@localhost:4318"
    signal = {"events": "Logs", "traces": "Traces"}[command]
    _, out, err = cli(command, endpoint)
    assert out == ""
    url = f"http://localhost:4318/v1/{signal.lower()}"
    assert err.startswith(f"{signal} go to {url}, not to {cli.export}.\n")
    assert "go to" not in cli(command)[2]


def test_a_level_is_no_cure_where_records_go_elsewhere(cli):
    status, _, err = cli("events", OTEL_LOGS_EXPORTER="none")
    assert status == 2
    assert err.splitlines() == [
        f"Logs go nowhere, not to {cli.export}.",
        (
            "jupyter otel: OtelExport.directory must be a folder that records were "
            f"written to, got '{cli.export}'. Give --directory DIR."
        ),
    ]


def test_an_emitted_event_reaches_a_receiver(cli):
    with HttpReceiver() as receiver:
        schema = cli.write("tool.json", TOOL_SCHEMA)
        endpoint = f"--OtelExport.endpoint={receiver.url}"
        done = cli(
            *("emit", USAGE, INCLUDE, endpoint, "--register", schema),
            *("--schema", TOOL, "--data", '{"tool": "x"}'),
        )
        [record] = receiver.inbox.records(Signal.LOGS)
    assert done == (0, "Sent.\n", "")
    assert record.event_name == "org.example.tools.run"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--schema", EXECUTION, "--data", "{}"], "Refused: level."),
        ([USAGE, "--schema", TOOL, "--data", "{}"], "Refused: unknown_schema."),
        (
            [USAGE, "--schema", EXECUTION, "--data", '{"phase": "s3cret"}'],
            (
                "Dropped: invalid. Its data does not fit its schema at /phase: enum. "
                f"`jupyter otel schemas show {EXECUTION}` prints it.\n"
            ),
        ),
    ],
)
def test_an_event_that_does_not_get_through_says_why(cli, arguments, reason):
    status, out, err = cli("emit", *arguments)
    assert (status, out) == (1, "")
    assert reason in err
    assert "s3cret" not in err


def test_a_schema_without_an_overlay_is_said_to_lack_one(cli):
    schema = cli.write("tool.json", TOOL_SCHEMA)
    status, _, err = cli(
        *("emit", "--OtelPolicy.level=audit", "--register", schema),
        *("--schema", TOOL, "--data", '{"tool": "x"}'),
    )
    assert (status, err) == (
        1,
        (
            "Refused: level. No overlay classifies its schema, so no level collects "
            "it: name the schema in OtelPolicy.include, or its overlay in "
            "OtelPolicy.files (`jupyter otel schemas check FILE` prints one to fill "
            "in).\n"
        ),
    )


def test_an_event_that_the_receiver_refuses_says_so(cli):
    with HttpReceiver(then=Answer(status=401)) as receiver:
        schema = cli.write("tool.json", TOOL_SCHEMA)
        endpoint = f"--OtelExport.endpoint={receiver.url}"
        status, _, err = cli(
            *("emit", USAGE, INCLUDE, endpoint, "--register", schema),
            *("--schema", TOOL, "--data", '{"tool": "x"}'),
        )
    assert status == 1
    assert "; 1 record is dropped.\n" in err
    assert "Dropped: rejected. The receiver does not take it:" in err


def test_preview_shows_what_would_leave_and_sends_nothing(cli):
    data = {"phase": "finished", "status": "ok", "duration_ms": 12, "kernel_id": "k"}
    lines = [
        {"schema_id": EXECUTION, "data": data, "timestamp": "2026-01-01T00:00:01Z"},
        {"schema_id": "https://example.org/none", "data": {}},
    ]
    status, out, err = cli(
        "preview", USAGE, stdin="\n".join(json.dumps(line) for line in lines)
    )
    shown, unknown = map(json.loads, out.splitlines())
    assert (status, err) == (0, "")
    assert shown["exported"] is True
    assert shown["log_record"]["timeUnixNano"] == "1767225601000000000"
    assert shown["span"]["name"] == "execute"
    assert unknown == {"exported": False, "reason": "unknown_schema"}
    assert not cli.export.exists()


def test_preview_takes_an_object_that_spans_lines(cli):
    event = {"schema_id": EXECUTION, "data": {"phase": "started"}}
    text = f"\n{json.dumps(event, indent=2)}\n\n{json.dumps(event)}\n"
    status, out, err = cli("preview", USAGE, stdin=text)
    assert (status, err) == (0, "")
    assert [json.loads(line)["exported"] for line in out.splitlines()] == [True] * 2


def test_preview_shows_the_case_without_consent_and_the_rules(cli):
    event = {"schema_id": EXECUTION, "data": {"phase": "started"}}
    file = cli.write("events.jsonl", event)
    without = json.loads(cli("preview", USAGE, "--no-consent", file)[1])
    assert without == {"exported": False, "reason": "no_consent"}
    explained = json.loads(cli("preview", USAGE, "--explain", file)[1])
    assert explained["properties"]["code"]["action"] == "drop"


def test_preview_says_where_data_breaks_its_schema_without_the_value(cli):
    event = {"schema_id": EXECUTION, "data": {"phase": "s3cret"}}
    status, out, err = cli("preview", USAGE, stdin=json.dumps(event))
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "exported": False,
        "reason": "invalid",
        "error": "/phase: enum",
    }


def test_preview_takes_bytes_and_times_that_cannot_be_read(cli):
    path = cli.home / "events.jsonl"
    event = {"schema_id": EXECUTION, "data": {"phase": "started", "kernel_id": "?"}}
    path.write_bytes(
        b"".join(
            json.dumps({**event, "timestamp": time}).encode().replace(b"?", b"\xff")
            + b"\n"
            for time in ("yesterday", "2026-01-01", -1, 2**70, [1])
        )
    )
    status, out, err = cli("preview", USAGE, str(path))
    assert (status, err) == (0, "")
    assert [json.loads(line)["exported"] for line in out.splitlines()] == [True] * 5


def test_a_terminal_that_knows_few_letters_is_no_reason_to_fail(cli):
    status, out, err = cli("init", "server", PYTHONIOENCODING="ascii")
    assert (status, err) == (0, "")
    assert "authorization: Bearer ?" in out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "standard input line 2 must be a JSON object, got something else."),
        ("{\n\n}}", "standard input line 2 must be a JSON object, got something else."),
        (
            '{"schema_id": 1}',
            (
                'standard input line 2 must have "schema_id" (text) and "data" (an '
                "object), got schema_id. Add what is missing."
            ),
        ),
    ],
)
def test_preview_names_the_line_that_it_cannot_read(cli, line, message):
    status, _, err = cli("preview", stdin=f"\n{line}\n")
    assert status == 2
    assert message in err


def test_init_server_is_a_configuration_that_works(cli):
    status, out, err = cli("init", "server")
    assert (status, err) == (0, "")
    config = cli.write("mine.py", out)
    found = json.loads(cli("doctor", "--json", "--config", config)[1])
    assert [one for one in found if one["state"] == "failed"] == []
    said = [(one["state"], one["what"]) for one in found]
    assert ("ok", "OtelPolicy.level is usage") in said
    consent = "OtelConsent.mode is mandatory, and people are told nothing of your own"
    assert ("note", consent) in said  # it is left to be written by who configures it
    assert str(cli.home) not in out


def test_a_place_below_home_is_printed_as_one(cli):
    out = cli("init", "server")[1]
    assert "\n#  Default: '~/data/jupyter_otel/spool'\n" in out


def test_init_collector_takes_all_signals(cli):
    service = yaml.safe_load(cli("init", "collector")[1])["service"]
    assert set(service["pipelines"]) == {"logs", "traces", "metrics"}


def test_status_says_that_nothing_runs(cli):
    text = "No Jupyter Server of this account is running.\n"
    assert cli("status") == (0, text, "")
    assert json.loads(cli("status", "--json")[1]) == {"servers": [], "spools": []}


def test_status_of_a_server_that_is_not_there_fails(cli, closed_port):
    url = f"http://127.0.0.1:{closed_port}"
    status, out, _ = cli("status", "--url", url)
    assert status == 1
    assert out == (
        f"{url}: no answer (ConnectionError): is the server running there?\n"
    )


def test_follow_prints_what_comes_until_it_is_interrupted(cli):
    cli.export.mkdir(parents=True)
    process = cli.popen("events", "--follow", "--json")
    record = {"timeUnixNano": "1", "eventName": "late"}
    line = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    (cli.export / "logs.jsonl").write_text(f"{json.dumps(line)}\n")
    assert json.loads(process.stdout.readline())["event_name"] == "late"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 130


def test_traces_are_drawn(cli):
    cli.export.mkdir(parents=True)
    now = time.time_ns()
    span = {
        "traceId": "0a" * 16,
        "spanId": "0b" * 8,
        "name": "execute",
        "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 10**9),
    }
    whole = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    (cli.export / "traces.jsonl").write_text(f"{json.dumps(whole)}\n")
    status, out, err = cli("traces")
    assert (status, err) == (0, "")
    assert "━━━" in out
    [trace] = map(json.loads, cli("traces", "--json")[1].splitlines())
    assert (trace["trace_id"], trace["duration_ms"]) == ("0a" * 16, 1000.0)


def test_a_terminal_gets_the_rules_of_a_preview_as_a_table_too(cli):
    event = {"schema_id": EXECUTION, "data": {"phase": "started"}}
    file = cli.write("event.json", event)
    shown = cli.in_terminal("preview", USAGE, "--explain", file)
    line, head, *rows = shown.splitlines()
    assert json.loads(line)["exported"] is True
    assert head.split() == ["PROPERTY", "ACTION", "CATEGORY", "RULE"]
    assert rows[0].split()[:3] == ["phase", "allow", "operational"]
