"""Sign-ins on a road of their own, and the intruder that docs/security.md looks for."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.collector.conftest import CONFIGURATIONS, ROOT, Gateway
from tests.integration.asking import Browser, ask, end
from tests.integration.conftest import (  # noqa: F401 - start_server is a fixture
    COLLECTING,
    TOKEN,
    attributes_of,
    start_server,
)

INTRUDER, CLUMSY, USUAL = "203.0.113.66", "203.0.113.7", "203.0.113.8"
MANY = 10
_LABEL = re.compile(r"[|(]\s*(?:unwrap )?([a-z]+_[a-z_]+)[=)\s]")


@pytest.fixture
def watched(otelcol, tmp_path):
    """A Collector with the road for security, on free ports."""
    running = Gateway(otelcol, tmp_path, CONFIGURATIONS / "security.yaml")
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


@pytest.fixture
def records(watched, start_server):  # noqa: F811 - the imported fixture
    """Return what came on the usual road and on the other, after a bad day."""
    server = start_server(
        *COLLECTING,
        "--ServerApp.trust_xheaders=True",
        f"--OtelExport.endpoint={watched.endpoint('http/protobuf')}",
    )
    for _ in range(3 * MANY):
        ask(server, "GET", "api/contents?token=guess", {"X-Forwarded-For": INTRUDER})
    Browser(server, **{"X-Forwarded-For": CLUMSY}).sign_in("wrong")
    for address in (CLUMSY, USUAL, INTRUDER):
        Browser(server, **{"X-Forwarded-For": address}).sign_in(TOKEN)
    end(server)
    return read(watched, "logs"), read(watched, "security")


def read(collector, file):
    """Return the attributes of the records in one of a Collector's files."""
    return [
        attributes_of(record)
        for request in collector.requests(file)
        for resource in request["resourceLogs"]
        for scope in resource["scopeLogs"]
        for record in scope["logRecords"]
    ]


def found(records):
    """Return the addresses that the first query of docs/security.md finds."""
    failed, came_in = Counter(), set()
    for record in records:
        if record["jupyter.event.action"] == "login_failed":
            failed[record["client.address"]] += record["jupyter.event.count"]
        elif record["jupyter.event.action"] == "login":
            came_in.add(record["client.address"])
    return {address for address in came_in if failed[address] >= MANY}


def test_security_gets_sign_ins_alone_and_they_show_who_broke_in(records):
    everything, security = records

    assert {record["otel.event.name"] for record in security} == {
        "jupyter_otel.sign_in"
    }
    assert "jupyter_otel.http_request" in {r["otel.event.name"] for r in everything}
    outcomes = Counter()
    for record in security:
        outcomes[record["event.outcome"]] += record["jupyter.event.count"]
        assert record["event.category"] == "authentication"
    assert outcomes == {"failure": 3 * MANY + 1, "success": 3}
    assert len(security) == 5 + 1 + 1 + 3
    assert found(security) == found_among_all(everything) == {INTRUDER}


def found_among_all(everything):
    signs = [r for r in everything if r["otel.event.name"] == "jupyter_otel.sign_in"]
    return found(signs)


def test_every_field_that_the_documented_queries_name_is_in_the_records(records):
    _, security = records
    page = Path(ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    queries = re.findall(r"```logql\n(.*?)```", page, flags=re.DOTALL)

    named = {label for query in queries for label in _LABEL.findall(query)}

    assert named == {
        "client_address",
        "jupyter_event_action",
        "jupyter_event_count",
        "otel_event_name",
    }
    for record in security:
        assert named <= {name.replace(".", "_") for name in record}
