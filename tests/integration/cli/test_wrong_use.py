"""Command lines that cannot be meant: one line on standard error, and exit 2."""

import pytest

USAGE = "--OtelPolicy.level=usage"


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
        (["init", "hub"], "argument server|kernel|collector: invalid choice: 'hub'"),
        (["init"], "the following arguments are required: server|kernel|collector"),
        (
            ["status", "--OtelPolicy.level", "usage"],
            (
                "--OtelPolicy.level needs its value behind an equals sign: "
                "--OtelPolicy.level=VALUE"
            ),
        ),
        (
            ["status", "--OtelFoo.bar=1"],
            (
                "OtelFoo is not a class of settings. They are: OtelPolicy, "
                "OtelRedaction, OtelConsent, OtelExport, OtelSpool, OtelTraces, "
                "OtelMetrics, OtelSources."
            ),
        ),
        (
            [
                "emit",
                USAGE,
                "--schema=x",
                "--data={}",
                "--OtelExport.endpoint=http://a:43l8",
            ],
            "got 'http://a:43l8'. Its port must be a number up to 65535.",
        ),
        (
            ["schemas", "list", "--OtelPolicy.files=no.yaml"],
            "OtelPolicy.files must name files that are there, got 'no.yaml', looked",
        ),
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
