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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["evnts"], "argument COMMAND: invalid choice: 'evnts'"),
        (
            ["events", "--lsat", "3"],
            (
                "--lsat is not an option of `jupyter otel events`; see "
                "`jupyter otel events --help`. Settings are written "
                "--Class.trait=value."
            ),
        ),
        (
            ["events", "--last", "0"],
            "argument --last: must be a number from 1, got '0'",
        ),
        (
            ["events", "--directory", "nowhere"],
            "--directory must be a folder that records were written to, got 'nowhere'.",
        ),
        (
            ["events"],
            "OtelExport.directory must be a folder that records were written to",
        ),
        (["traces", "--last", "all"], "must be a number from 1, got 'all'"),
        (
            ["status", "--OtelPolicy.levle=usage"],
            "OtelPolicy.levle is not a setting. Did you mean OtelPolicy.level?",
        ),
        (
            ["status", "--OtelPolicy.level=usages"],
            (
                "OtelPolicy.level must be one of none, operational, usage, audit, got "
                "'usages'. Did you mean 'usage'?"
            ),
        ),
        (
            ["status", "--config", "nowhere.py"],
            (
                "--config must be a file that is there, got 'nowhere.py'. Correct the "
                "path."
            ),
        ),
        (
            ["status", "--config", "otel.yaml"],
            "--config must be a .py or .json file, got 'otel.yaml'. Rename it.",
        ),
        (
            ["status", "--url", "me:s3cret@localhost:8888"],
            (
                "--url must be a URL that begins with http:// or https://, got "
                "'***@localhost:8888'."
            ),
        ),
        (["schemas"], "the following arguments are required: list|show|check"),
        (
            ["schemas", "show", "zz"],
            (
                "ID must be the id of a schema, got 'zz'. `jupyter otel schemas list` "
                "shows all ids."
            ),
        ),
        (["init", "hub"], "argument place: invalid choice: 'hub'"),
        (["emit", "--schema", "x"], "the following arguments are required: --data"),
        (
            ["emit", "--schema", "x", "--data", "{s3cret"],
            "--data must be a JSON object, got something else.",
        ),
        (
            ["emit", "--schema", "x", "--data", "[1]"],
            "--data must be a JSON object, got a list.",
        ),
        (
            ["emit", USAGE, "--schema", "x", "--data", "{}", "--register", "no.yaml"],
            "--register must be a file that is there, got 'no.yaml'. Correct the path.",
        ),
        (
            ["emit", USAGE, "--schema=x", "--data={}", "--OtelExport.endpoint=a:1"],
            (
                "OtelExport.endpoint must be a URL that begins with http:// or "
                "https://, got 'a:1'. Write http://a:1"
            ),
        ),
        (
            ["preview", "nowhere.jsonl"],
            (
                "FILE must be a file that can be read, got 'nowhere.jsonl' (No such "
                "file or directory). Correct the path, or write - for standard input."
            ),
        ),
    ],
)
def test_wrong_use_is_answered_on_standard_error(cli, arguments, message):
    status, out, err = cli(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert "s3cret" not in err
    assert "Traceback" not in err


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
        ([USAGE, "--schema", EXECUTION, "--data", "{}"], "Dropped: invalid."),
    ],
)
def test_an_event_that_does_not_get_through_says_why(cli, arguments, reason):
    status, out, err = cli("emit", *arguments)
    assert (status, out) == (1, "")
    assert reason in err


def test_an_event_that_the_receiver_refuses_says_so(cli):
    with HttpReceiver(then=Answer(status=401)) as receiver:
        schema = cli.write("tool.json", TOOL_SCHEMA)
        endpoint = f"--OtelExport.endpoint={receiver.url}"
        status, _, err = cli(
            *("emit", USAGE, INCLUDE, endpoint, "--register", schema),
            *("--schema", TOOL, "--data", '{"tool": "x"}'),
        )
    assert status == 1
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


def test_preview_shows_the_case_without_consent_and_the_rules(cli):
    event = {"schema_id": EXECUTION, "data": {"phase": "started"}}
    file = cli.write("events.jsonl", event)
    without = json.loads(cli("preview", USAGE, "--no-consent", file)[1])
    assert without == {"exported": False, "reason": "no_consent"}
    explained = json.loads(cli("preview", USAGE, "--explain", file)[1])
    assert explained["properties"]["code"]["action"] == "drop"


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


def test_schemas_are_listed_with_what_policy_says(cli):
    status, out, err = cli(
        "schemas", "list", "--json", "--OtelPolicy.level=operational"
    )
    by_id = {entry["id"]: entry for entry in json.loads(out)}
    assert (status, err) == (0, "")
    assert by_id[EXECUTION] == {
        "id": EXECUTION,
        "version": "1",
        "event_name": "jupyter_otel.execution",
        "package": "jupyter-otel",
        "origin": by_id[EXECUTION]["origin"],
        "level": "usage",
        "group": "executions",
        "control_plane": False,
        "refusal": "level",
    }
    assert EXECUTION in cli("schemas", "list")[1]


def test_a_schema_is_shown_with_what_each_level_does(cli):
    out = cli("schemas", "show", EXECUTION, "--json")[1]
    path = json.loads(out)["properties"]["notebook_path"]
    assert path["category"] == "location"
    assert path["actions"] == {"operational": "drop", "usage": "hash", "audit": "allow"}
    assert "notebook_path" in cli("schemas", "show", EXECUTION)[1]


def test_check_prints_an_overlay_that_works_once_filled_in(cli):
    schema = cli.write("tool.json", TOOL_SCHEMA)
    status, out, err = cli("schemas", "check", schema)
    assert (status, err) == (1, f"{schema}: schema, 1 without a category: dropped\n")
    unfinished = cli.write("overlay.yaml", out)
    assert cli("schemas", "check", schema, unfinished)[0] == 1
    filled = cli.write("overlay.yaml", out.replace("TODO", "operational"))
    done = cli("schemas", "check", schema, filled)
    assert done == (0, "", f"{filled}: overlay, ok\n{schema}: schema, ok\n")


def test_check_names_what_is_wrong_with_a_file(cli):
    bad = cli.write("bad.yaml", {"schemas": {TOOL: {"levle": "usage"}}})
    status, out, err = cli("schemas", "check", bad)
    assert (status, out) == (1, "")
    assert "bad.yaml" in err
    assert "levle" in err
    found = json.loads(cli("schemas", "check", bad, "nowhere.yaml", "--json")[1])
    assert [one["file"] for one in found] == [bad, "nowhere.yaml"]
    assert all(one["error"] for one in found)


def test_init_server_is_a_configuration_that_works(cli):
    status, out, err = cli("init", "server")
    assert (status, err) == (0, "")
    config = cli.write("mine.py", out)
    found = json.loads(cli("doctor", "--json", "--config", config)[1])
    assert [one for one in found if one["state"] == "failed"] == []
    assert "OtelPolicy.level is usage" in [one["what"] for one in found]


def test_init_collector_takes_both_signals(cli):
    service = yaml.safe_load(cli("init", "collector")[1])["service"]
    assert set(service["pipelines"]) == {"logs", "traces"}


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
