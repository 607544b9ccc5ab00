"""What two people say on one server, and what a receiver gets of each."""

import json
import os
import signal
import sqlite3

import pytest

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from tests.integration.cli.test_json_shapes import assert_shape, validator
from tests.integration.two_users import (
    ANN,
    BOB,
    consent,
    put_file,
    recent,
    refusal,
    start_shared_server,
)

CONTENTS = "jupyter_server.contents_service"
CONSENT = "jupyter_otel.consent"


def attributes(record):
    return {a.key: a.value.string_value for a in record.attributes}


class Receiver(HttpReceiver):
    """Says what came, by person."""

    def of(self, user, event=CONTENTS):
        """Return what came of a person: paths of files, actions and groups else."""
        found = [
            attributes(record)
            for record in self.inbox.records(Signal.LOGS)
            if record.event_name == event
        ]
        wanted = ("jupyter.event.path", "jupyter.event.action", "jupyter.event.group")
        return [
            " ".join(said[name] for name in wanted if name in said)
            for said in found
            if said.get("user.name") == user
        ]

    def files_of(self, user):
        """Return the names of files in what came of a person."""
        return {said.split()[0] for said in self.of(user)}


@pytest.fixture
def receiver():
    with Receiver() as started:
        yield started


@pytest.fixture
def away():
    """A receiver that takes nothing."""
    with Receiver(then=Answer(status=503)) as started:
        yield started


@pytest.fixture
def start(start_server):
    """Return what starts a shared server that sends to a receiver."""

    def start(to, *arguments, **changes):
        endpoint = f"--OtelExport.endpoint={to.url}"
        return start_shared_server(start_server, endpoint, *arguments, **changes)

    return start


def logs(server):
    return server.status()["signals"]["logs"]


def flush(server, wait_until):
    """Wait until nothing waits; return the drops."""
    return wait_until(lambda: logs(server), lambda books: books["pending"] == 0)[
        "dropped"
    ]


def spool_bytes(server):
    """Return all bytes of the spool's folder."""
    folder = server.home / "data" / "jupyter_otel" / "spool"
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_nothing_before_a_yes_everything_after_it_nothing_after_a_no(
    start, receiver, wait_until
):
    server = start(receiver)
    put_file(server, ANN, "ann-0.txt")
    put_file(server, BOB, "bob-0.txt")
    assert flush(server, wait_until) == {"no_consent": 4}

    groups = consent(server, ANN, data=True)
    put_file(server, ANN, "ann-1.txt")
    put_file(server, BOB, "bob-1.txt")
    wait_until(lambda: receiver.of("ann"))
    flush(server, wait_until)

    assert groups["data"]["allowed"]
    assert not groups["executions"]["allowed"]
    assert receiver.files_of("ann") == {"ann-1.txt"}
    assert receiver.of("ann", CONSENT) == ["granted data"]

    consent(server, ANN, data=False)
    put_file(server, ANN, "ann-2.txt")
    flush(server, wait_until)

    assert receiver.files_of("ann") == {"ann-1.txt"}
    assert receiver.of("ann", CONSENT) == ["granted data", "withdrawn data"]
    everything = str(receiver.inbox.requests())
    assert "bob" not in everything
    assert "ann-0" not in everything
    assert "ann-2" not in everything


def test_a_no_erases_what_waits_of_that_person_and_that_group(start, away, wait_until):
    server = start(away)
    consent(server, ANN, data=True)
    consent(server, BOB, data=True)
    put_file(server, ANN, "anns-canary.txt")
    put_file(server, BOB, "bobs-canary.txt")
    for name in (b"anns-canary", b"bobs-canary"):
        wait_until(lambda name=name: name in spool_bytes(server))

    consent(server, ANN, data=False)

    books = logs(server)
    assert books["dropped"] == {"no_consent": 2}
    assert books["pending"] == 5  # bob's two, and three events of group security
    kept = spool_bytes(server)
    assert b"anns-canary" not in kept
    assert b"bobs-canary" in kept


def test_a_no_holds_for_what_is_being_sent_if_it_comes_back(
    start_server, free_port, wait_until
):
    server = start_shared_server(
        start_server, f"--OtelExport.endpoint=http://127.0.0.1:{free_port}"
    )
    consent(server, ANN, data=True)
    put_file(server, ANN, "ann.txt")
    wait_until(lambda: server.status()["last_error"]["logs"])
    consent(server, ANN, data=False)

    with Receiver(port=free_port) as back:
        flush(server, wait_until)
        assert back.of("ann", CONSENT) == ["granted data", "withdrawn data"]
        assert back.of("ann") == []


def test_a_yes_is_not_meant_for_what_was_made_before_it(start, away, wait_until):
    server = start(away, "--OtelConsent.mode=mandatory")
    put_file(server, ANN, "ann-0.txt")
    wait_until(lambda: b"ann-0.txt" in spool_bytes(server))
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    data = server.home / "data"
    aside = start(
        away,
        f"--OtelSpool.directory={data / 'aside'}",
        environ={"JUPYTER_DATA_DIR": str(data)},
    )
    consent(aside, ANN, data=True)

    with Receiver() as receiver:
        again, dropped = _restart(start, server, receiver, wait_until)
        put_file(again, ANN, "ann-1.txt")
        wait_until(lambda: receiver.of("ann"))

        assert dropped == {"no_consent": 2}
        assert receiver.files_of("ann") == {"ann-1.txt"}


def _restart(start, dead, receiver, wait_until, *, level="audit"):
    """Start a server on a dead one's data; return the drops once nothing waits."""
    server = start(
        receiver,
        f"--OtelPolicy.level={level}",
        environ={"JUPYTER_DATA_DIR": str(dead.home / "data")},
    )
    wait_until(lambda: logs(server)["accepted"] >= 2)
    return server, flush(server, wait_until)


def test_what_a_dead_process_left_is_judged_by_what_people_say_now(
    start, away, wait_until
):
    server = start(away, "--OtelConsent.mode=opt_out")
    put_file(server, ANN, "ann.txt")
    put_file(server, BOB, "bob.txt")
    wait_until(lambda: b"bob.txt" in spool_bytes(server))
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()

    with Receiver() as receiver:
        _, dropped = _restart(start, server, receiver, wait_until)

        assert dropped == {"no_consent": 4}
        assert receiver.of("ann") == receiver.of("bob") == []


def test_a_tightened_policy_gives_up_what_was_made_under_the_older_one(
    start, away, wait_until
):
    server = start(away, "--OtelConsent.mode=mandatory")
    put_file(server, ANN, "ann.txt")
    wait_until(lambda: b"ann.txt" in spool_bytes(server))
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()

    with Receiver() as receiver:
        _, dropped = _restart(start, server, receiver, wait_until, level="usage")

        assert dropped == {"policy_changed": 2}
        assert receiver.of("ann") == []


def test_answers_and_recent_records_outlive_the_server(start, receiver, wait_until):
    server = start(receiver)
    consent(server, ANN, data=True)
    put_file(server, ANN, "ann.txt")
    wait_until(lambda: receiver.of("ann"))
    flush(server, wait_until)
    server.end()

    again = start(receiver, environ={"JUPYTER_DATA_DIR": str(server.home / "data")})
    said = again.request("GET", "otel/v1/consent", None, ANN)

    assert said["groups"]["data"]["choice"] is True
    assert "ann.txt" in json.dumps(recent(again, ANN))


def test_the_account_of_another_server_is_heard_at_once(start, receiver, wait_until):
    first = start(receiver)
    second = start(receiver, environ={"JUPYTER_DATA_DIR": str(first.home / "data")})
    consent(first, ANN, data=True)
    put_file(second, ANN, "second.txt")
    wait_until(lambda: "second.txt" in receiver.files_of("ann"))
    flush(second, wait_until)

    consent(first, ANN, data=False)
    put_file(second, ANN, "late.txt")

    assert flush(second, wait_until) == {"no_consent": 2}
    assert receiver.files_of("ann") == {"second.txt"}
    assert {sent["group"] for sent in recent(second, ANN)} == {"security"}


def test_each_reads_their_own_records_as_they_left(start, receiver, wait_until):
    server = start(receiver)
    for token in (ANN, BOB):
        consent(server, token, data=True)
    put_file(server, ANN, "ann.txt")
    put_file(server, BOB, "bob.txt")
    wait_until(lambda: receiver.of("ann") and receiver.of("bob"))
    flush(server, wait_until)

    document = server.request("GET", "otel/v1/recent", None, ANN)
    uids = {_uid(sent["record"]) for sent in document["records"]}
    came = {
        attributes(record)["log.record.uid"]
        for record in receiver.inbox.records(Signal.LOGS)
        if attributes(record).get("user.name") == "ann"
    }

    assert_shape("recent", document)
    assert uids == came
    assert "bob" not in json.dumps(document)
    assert len(recent(server, ANN, limit=1)) == 1


def _uid(record):
    [uid] = [a for a in record["attributes"] if a["key"] == "log.record.uid"]
    return uid["value"]["stringValue"]


def test_no_name_stands_in_the_spool_or_among_the_answers(
    start, receiver, away, wait_until
):
    server = start(away, "--OtelPolicy.identity=hash")
    consent(server, ANN, data=True)
    put_file(server, ANN, "file.txt")
    wait_until(lambda: b"file.txt" in spool_bytes(server))
    answers = server.home / "data" / "jupyter_otel" / "consent"

    kept = [path.read_bytes() for path in answers.iterdir() if path.name != "key"]
    folder = server.home / "data" / "jupyter_otel" / "spool"
    [database] = folder.glob("*.sqlite")
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    subjects = {row[0] for row in connection.execute("SELECT subject FROM rows")}
    connection.close()

    assert b"ann" not in b"".join(kept)
    assert b"user:ann" not in spool_bytes(server)
    assert [len(subject) for subject in subjects] == [8 + 1 + 64]


def test_what_cannot_be_decided_or_understood_is_refused(start, receiver):
    server = start(receiver, "--OtelConsent.groups={'operations': 'mandatory'}")
    path = "otel/v1/consent"
    before = server.request("GET", path, None, ANN)
    assert_shape("consent", before)

    status, message = refusal(
        server, "PUT", path, {"groups": {"data": True, "operations": False}}
    )
    assert (status, message[:26]) == (409, "operations is mandatory he")
    for body in (
        {"groups": {"everything": True}},
        {"groups": {"data": 1}},
        {"groups": []},
        {"group": {}},
        {"notice_shown": "yes"},
        [],
    ):
        assert not validator("consent_request").is_valid(body)
        assert refusal(server, "PUT", path, body)[0] == 400
    for limit in ("0", "1001", "-1", "x", "9" * 5000):
        assert refusal(server, "GET", f"otel/v1/recent?limit={limit}")[0] == 400
    assert server.request("GET", path, None, ANN) == before


def test_strangers_and_whoever_is_not_authorized_are_refused(start, receiver):
    deny = """
from jupyter_server.auth import Authorizer
class NobodyChanges(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return not (resource == "otel" and action == "write")
c.ServerApp.authorizer_class = NobodyChanges
"""
    server = start(receiver, files={"config/jupyter_otel_config.py": ""})
    for path in ("otel/v1/consent", "otel/v1/collected", "otel/v1/recent"):
        assert refusal(server, "GET", path, token="")[0] == 403
    strict = start(receiver, files={"config/jupyter_config.py": deny})
    body = {"groups": {"data": True}, "notice_shown": True}
    assert_shape("consent_request", body)
    assert refusal(strict, "PUT", "otel/v1/consent", body)[0] == 403
    assert strict.request("GET", "otel/v1/consent", None, ANN)["groups"]


def test_collected_answers_in_its_shape(start, receiver):
    server = start(receiver)
    collected = server.request("GET", "otel/v1/collected", None, ANN)

    assert_shape("collected", collected)
    assert CONTENTS in {schema["event_name"] for schema in collected["schemas"]}


def test_where_nothing_is_collected_all_of_it_answers_empty(start_server):
    server = start_server()
    said = server.request("GET", "otel/v1/consent")
    left = server.request("GET", "otel/v1/recent")

    assert_shape("consent", said)
    assert_shape("recent", left)
    assert (said["level"], said["groups"], left["records"]) == ("none", {}, [])
    body = {"groups": {"data": True}}
    assert refusal(server, "PUT", "otel/v1/consent", body, "integration-test") == (
        409,
        "Nothing is collected, so nobody is asked.",
    )


def test_asking_is_no_activity(start, receiver):
    server = start(receiver)
    before = server.request("GET", "api/status")["last_activity"]
    for path in ("consent", "collected", "recent", "status"):
        server.request("GET", f"otel/v1/{path}", None, ANN)
    consent(server, ANN, data=True)

    assert server.request("GET", "api/status")["last_activity"] == before
