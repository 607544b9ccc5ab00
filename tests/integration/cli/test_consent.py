"""``jupyter otel consent``, with a running server and without one."""

import json

import pytest

from tests.integration.cli.test_json_shapes import assert_shape

USAGE = "--OtelPolicy.level=usage"


def choices(done):
    """Return what one server answered: the choice of each group."""
    status, out, _ = done
    assert status == 0
    document = json.loads(out)
    assert_shape("cli_consent", document)
    [server] = document["servers"]
    return {
        name: group["choice"] for name, group in server["consent"]["groups"].items()
    }


@pytest.fixture
def server(cli, start_server):
    started = start_server(USAGE)
    cli.environment["JUPYTER_DATA_DIR"] = str(started.home / "data")
    cli.environment["JUPYTER_RUNTIME_DIR"] = str(started.home / "runtime")
    yield started
    started.end()


def test_an_answer_holds_on_the_running_server(cli, server):
    assert set(choices(cli("consent", "show", "--json")).values()) == {None}

    assert choices(cli("consent", "grant", "data", "executions", "--json")) == {
        "security": None,
        "operations": None,
        "executions": True,
        "data": True,
        "interface": None,
        "extensions": None,
    }
    assert choices(cli("consent", "withdraw", "--json")) == {
        "security": None,
        "operations": False,
        "executions": False,
        "data": False,
        "interface": False,
        "extensions": False,
    }
    said = server.request("GET", "otel/v1/consent")["groups"]["data"]
    assert (said["choice"], said["allowed"]) == (False, False)


def test_an_answer_is_kept_for_the_next_server(cli, start_server):
    granted = choices(cli("consent", "grant", "data", "--json", USAGE))
    shown = choices(cli("consent", "show", "--json", USAGE))
    _, events, _ = cli("events", "--json")

    assert granted == shown
    assert granted["data"] is True
    assert '"jupyter_otel.consent"' in events


def test_what_is_not_ones_own_to_decide_is_refused(cli, server):
    for groups in (["security"], ["data", "security"]):
        status, out, _ = cli("consent", "grant", *groups)
        assert status == 1
        assert "Not done: security is mandatory here" in out
    assert set(choices(cli("consent", "show", "--json")).values()) == {None}


def test_where_nothing_is_collected_nobody_is_asked(cli):
    assert cli("consent", "show")[:2] == (
        0,
        "no server runs; kept for the next one\nNothing is collected.\n",
    )
    status, out, _ = cli("consent", "grant")
    assert (status, "nothing is collected" in out) == (1, True)


def test_a_group_that_there_is_not_is_bad_use(cli):
    status, _, error = cli("consent", "grant", "everything")

    assert status == 2
    assert "must be one of security, operations" in error
