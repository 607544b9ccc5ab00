"""What two people say on one server, and what a receiver gets of each."""

import pytest

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import HttpReceiver
from tests.integration.two_users import (
    ANN,
    BOB,
    consent,
    put_file,
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


@pytest.fixture
def receiver():
    with Receiver() as started:
        yield started


@pytest.fixture
def shared(start_server, receiver):
    return start_shared_server(start_server, f"--OtelExport.endpoint={receiver.url}")


def flush(server, wait_until):
    """Wait until nothing waits; return the drops."""

    def books():
        return server.status()["signals"]["logs"]

    return wait_until(books, lambda logs: logs["pending"] == 0)["dropped"]


def test_nothing_before_a_yes_everything_after_it_nothing_after_a_no(
    shared, receiver, wait_until
):
    put_file(shared, ANN, "ann-0.txt")
    put_file(shared, BOB, "bob-0.txt")
    assert flush(shared, wait_until) == {"no_consent": 4}

    groups = consent(shared, ANN, data=True)
    put_file(shared, ANN, "ann-1.txt")
    put_file(shared, BOB, "bob-1.txt")
    wait_until(lambda: receiver.of("ann"))
    flush(shared, wait_until)

    assert groups["data"]["allowed"]
    assert not groups["executions"]["allowed"]
    assert {said.split()[0] for said in receiver.of("ann")} == {"ann-1.txt"}
    assert receiver.of("ann", CONSENT) == ["granted data"]

    consent(shared, ANN, data=False)
    put_file(shared, ANN, "ann-2.txt")
    flush(shared, wait_until)

    assert {said.split()[0] for said in receiver.of("ann")} == {"ann-1.txt"}
    assert receiver.of("ann", CONSENT) == ["granted data", "withdrawn data"]
    everything = str(receiver.inbox.requests())
    assert "bob" not in everything
    assert "ann-0" not in everything
    assert "ann-2" not in everything
