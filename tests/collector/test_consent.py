"""Two people on one server, and what a Collector has of each in the end."""

import pytest

from tests.collector.conftest import Gateway, free_port
from tests.collector.test_server import named
from tests.integration.conftest import (  # noqa: F401 - start_server is a fixture
    start_server,
    wait_until,
)
from tests.integration.two_users import (
    ANN,
    BOB,
    consent,
    put_file,
    recent,
    start_shared_server,
)

CONTENTS = "jupyter_server.contents_service"


@pytest.fixture
def late_gateway(otelcol, tmp_path):
    """A port, and what starts a Collector there."""
    port, started = free_port(), []

    def start():
        folder = tmp_path / "late"
        folder.mkdir()
        started.append(Gateway(otelcol, folder, port=port))
        started[-1].wait_until_up()
        return started[-1]

    yield port, start
    for gateway in started:
        gateway.stop()


def files_of(records, user):
    """Return the files in the contents events of a person."""
    return {
        said["jupyter.event.path"]
        for said in named(records, CONTENTS)
        if said["user.name"] == user
    }


def nothing_waits(server):
    books = server.status()["signals"]["logs"]
    return books["pending"] == 0


def test_a_collector_gets_what_people_allow_and_nothing_else(gateway, start_server):  # noqa: F811 - the imported fixture
    endpoint = f"--OtelExport.endpoint={gateway.endpoint('http/protobuf')}"
    server = start_shared_server(start_server, endpoint)
    put_file(server, ANN, "ann-0.txt")
    consent(server, ANN, data=True)
    put_file(server, ANN, "ann-1.txt")
    put_file(server, BOB, "bob-1.txt")
    wait_until(lambda: nothing_waits(server))
    shown = [
        sent["record"]
        for sent in recent(server, ANN)
        if sent["record"]["eventName"] == CONTENTS
    ]
    consent(server, ANN, data=False)
    put_file(server, ANN, "ann-2.txt")
    wait_until(lambda: nothing_waits(server))
    server.end()

    records = gateway.log_records()
    of_ann = [record for record in records if record["eventName"] == CONTENTS]
    assert files_of(records, "ann") == {"ann-1.txt"}
    assert "bob" not in str(records)
    # What ann could read was what the Collector has, byte for byte of meaning.
    assert shown == of_ann[::-1]


def test_what_waited_for_the_collector_is_gone_after_a_no(late_gateway, start_server):  # noqa: F811 - the imported fixture
    port, start = late_gateway
    endpoint = f"--OtelExport.endpoint=http://127.0.0.1:{port}"
    server = start_shared_server(start_server, endpoint)
    for token, name in ((ANN, "ann.txt"), (BOB, "bob.txt")):
        consent(server, token, data=True)
        put_file(server, token, name)
    wait_until(lambda: server.status()["last_error"]["logs"])

    consent(server, ANN, data=False)
    gateway = start()
    wait_until(lambda: nothing_waits(server))
    server.end()

    records = gateway.log_records()
    assert files_of(records, "bob") == {"bob.txt"}
    assert "ann.txt" not in str(records)
    said = named(records, "jupyter_otel.consent")
    assert [(one["user.name"], one["jupyter.event.action"]) for one in said] == [
        ("ann", "granted"),
        ("bob", "granted"),
        ("ann", "withdrawn"),
    ]
