"""What waits on disk is listed, sent and dropped by command."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from traitlets.config import Config

from jupyter_otel.catalog.files import schemas_root
from jupyter_otel.config import read_settings
from jupyter_otel.permits import policy_revision
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import HttpReceiver

API = schemas_root() / "api"
# A request of one resource, of logs as of traces, with nothing in it.
BODY = b"\x0a\x00"
COLLECT = ("--OtelPolicy.level=usage", "--OtelConsent.mode=mandatory")
REVISION = policy_revision(read_settings(Config({"OtelPolicy": {"level": "usage"}})))
REFUSED = "--OtelExport.endpoint=http://127.0.0.1:9"


@pytest.fixture
def directory(cli):
    return cli.home / "data" / "jupyter_otel" / "spool"


def open_spool(directory):
    return Spool(
        directory, max_bytes=2**20, max_age_s=60, when_full="drop", synchronous=False
    )


@pytest.fixture
def leave(directory):
    """Leave a log record and a span in a spool whose process is gone."""

    def leave_one(revision=REVISION):
        spool = open_spool(directory)
        spool.append(
            [
                NewRow(signal, "ada", "executions", 1, 1, revision, BODY)
                for signal in (Signal.LOGS, Signal.TRACES)
            ]
        )
        spool.close()

    return leave_one


@pytest.fixture
def living(directory):
    """Have a spool open in a process that runs: this one."""
    spool = open_spool(directory)
    yield spool
    spool.close()


def shaped(name, done, status=0):
    """Return the JSON of a command that has the shape it promises."""
    assert done[0] == status, done
    document = json.loads(done[1])
    bodies = [json.loads(path.read_text()) for path in API.glob("*.schema.json")]
    registry = Registry().with_resources(
        (body["$id"], Resource.from_contents(body)) for body in bodies
    )
    [body] = [body for body in bodies if body["$id"].endswith(f"/{name}.schema.json")]
    Draft202012Validator(body, registry=registry).validate(document)
    return document


def test_what_waits_is_listed_with_who_has_it_open(cli, directory, leave, living):
    leave()
    (directory / "gone.corrupt").write_bytes(b"x" * 100)
    found = shaped("spool_list", cli("spool", "list", "--json"))
    status, shown, _ = cli("spool", "list")

    assert found["directory"] == str(directory)
    assert sorted((each["state"], each["pending"]) for each in found["spools"]) == [
        ("live", {}),
        ("waiting", {"logs": 1, "traces": 1}),
    ]
    assert {each["host"] for each in found["spools"]} == {os.uname().nodename}
    assert found["set_aside"] == [
        {"file": str(directory / "gone.corrupt"), "bytes": 100}
    ]
    assert status == 0
    assert "  live " in shown
    assert "gone.corrupt: could not be read and was set aside" in shown


def test_what_waits_is_sent_by_replay_and_gone(cli, directory, leave):
    leave()
    leave()
    with HttpReceiver() as receiver:
        endpoint = f"--OtelExport.endpoint={receiver.url}"
        done = cli("spool", "replay", *COLLECT, endpoint, "--json")
        said = shaped("spool_replay", done)

    assert said == {
        "adopted": {"logs": 2, "traces": 2},
        "sent": {"logs": 2, "traces": 2},
        "dropped": {},
        "pending": 0,
        "last_error": {},
    }
    assert cli("spool", "list") == (0, f"Nothing waits in {directory}.\n", "")


def test_what_policy_lets_through_no_more_is_dropped_by_replay(cli, leave):
    leave("of a policy that nobody knows")
    done = cli("spool", "replay", *COLLECT, "--json")
    said = shaped("spool_replay", done, status=1)

    assert said == {
        "adopted": {"logs": 1, "traces": 1},
        "sent": {},
        "dropped": {"policy_changed": 2},
        "pending": 0,
        "last_error": {},
    }


def test_what_cannot_be_sent_waits_on(cli, leave):
    leave()
    status, shown, errors = cli("spool", "replay", *COLLECT, REFUSED)

    assert (status, errors) == (1, "")
    assert shown.startswith("Sent 0 of 2 records.\n2 records wait on.\n")
    assert "Connection refused" in shown
    [spool] = json.loads(cli("spool", "list", "--json")[1])["spools"]
    assert spool["pending"] == {"logs": 1, "traces": 1}


def test_a_spool_in_use_is_neither_sent_nor_dropped(cli, living):
    replayed = shaped("spool_replay", cli("spool", "replay", *COLLECT, "--json"))
    discarded = shaped("spool_discard", cli("spool", "discard", "--yes", "--json"))

    assert replayed["adopted"] == {}
    assert discarded == {"files": 0, "records": 0, "set_aside": 0}
    assert living.path.exists()


def test_at_level_none_nothing_is_replayed(cli, leave):
    leave()
    status, shown, errors = cli("spool", "replay")

    assert (status, shown) == (2, "")
    assert "jupyter otel spool discard" in errors


def test_what_waits_is_dropped_with_what_was_set_aside(cli, directory, leave):
    leave()
    (directory / "gone.corrupt").write_bytes(b"x")
    done = cli("spool", "discard", "--yes", "--json")

    assert shaped("spool_discard", done) == {"files": 1, "records": 2, "set_aside": 1}
    assert list(directory.iterdir()) == []


def test_nothing_is_dropped_unasked(cli, leave):
    leave()
    assert cli("spool", "discard")[0] == 2
    assert shaped("spool_list", cli("spool", "list", "--json"))["spools"] != []


@pytest.mark.parametrize(("answer", "status", "left"), [("n", 1, 1), ("y", 0, 0)])
def test_a_person_is_asked(cli, directory, leave, answer, status, left):
    leave()
    ours, theirs = pty.openpty()
    command = [Path(sys.executable).with_name("jupyter-otel"), "spool", "discard"]
    with subprocess.Popen(
        command,
        env=cli.environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, f"{answer}\n".encode())
        _, asked = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)

    assert asked == (
        "Discard 2 records in 1 spool file? They cannot be brought back. [y/N] "
    )
    assert process.returncode == status
    assert len(list(directory.glob("*.sqlite"))) == left


def test_a_spool_of_another_machine_is_left_alone_unless_somebody_knows(
    cli, directory, leave
):
    leave()
    [note] = directory.glob("*.owner")
    owner = {"kernel": "another", "host": "elsewhere", "beats": True}
    note.write_text(json.dumps(owner))
    _, listed, _ = cli("spool", "list")
    kept = shaped("spool_discard", cli("spool", "discard", "--yes", "--json"))
    gone = cli("spool", "discard", "--yes", "--other-machines", "--json")

    assert "on elsewhere" in listed
    assert kept == {"files": 0, "records": 0, "set_aside": 0}
    assert shaped("spool_discard", gone)["records"] == 2
