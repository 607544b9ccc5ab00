# ruff: noqa: D102 - the methods of test doubles are documented where they are real
"""Kernels are asked for events where somebody listens, and no client sees these."""

import json

import pytest

from jupyter_otel.sources.kernel_messages import capturing
from tests.unit.sources.kernel_rig import SESSION, PlainConnection, Rig

LISTENS = {"listens": True, "datasets": False}
EVENTS = {"channel": "c", "sequence": 0, "events": [], "lost": 0}


@pytest.fixture
def schema(intake):
    return intake.adopt({"$id": "execution"}, "test")


@pytest.fixture
def taken():
    return []


@pytest.fixture
def rig(intake, schema, taken):
    def take(kernel_id, content):
        taken.append((kernel_id, json.loads(content)))

    return Rig(intake, schema, kernel_events=take)


@pytest.mark.parametrize("claimed", [{}, {"jupyter_otel": {"datasets": True}}])
def test_a_kernel_is_told_who_listens_whatever_the_client_claims(rig, claimed):
    rig.ask(metadata={"cellId": "c1", **claimed})

    assert rig.forwarded_metadata == {
        "cellId": "c1",
        "traceparent": "span 1",
        "jupyter_otel": LISTENS,
    }


@pytest.mark.parametrize("allows", [True, False])
def test_a_kernel_is_asked_for_the_data_of_whoever_allows_it(intake, schema, allows):
    rig = Rig(
        intake,
        schema,
        kernel_events=lambda *_: None,
        asks_for_datasets=lambda person: allows and person is not None,
        spans=None,
    )

    rig.ask(metadata={})

    asked = {"listens": True, "datasets": allows}
    assert rig.forwarded_metadata == {"jupyter_otel": asked}


@pytest.mark.parametrize("silent", [False, True])
def test_where_nobody_listens_a_client_cannot_say_otherwise(intake, schema, silent):
    rig = Rig(intake, schema, spans=None)

    rig.ask(metadata={"cellId": "c1", "jupyter_otel": LISTENS}, silent=silent)

    assert rig.forwarded_metadata == {"cellId": "c1"}


def test_a_kernels_events_are_taken_and_kept_from_the_client(rig, taken):
    parent = SESSION.msg("kernel_info_request")
    rig.say(parent, "jupyter_otel_event", EVENTS)

    assert taken == [("k1", EVENTS)]
    assert rig.connection.to_client == []


def test_what_only_looks_like_events_is_passed_on(rig, taken):
    parent = SESSION.msg("kernel_info_request")
    rig.say(parent, "stream", {"name": "stdout", "text": '"jupyter_otel_event"'})

    assert taken == []
    assert len(rig.connection.to_client) == 1


def test_where_nobody_listens_such_messages_are_left_alone(intake, schema):
    rig = Rig(intake, schema)

    rig.say(SESSION.msg("kernel_info_request"), "jupyter_otel_event", EVENTS)

    assert len(rig.connection.to_client) == 1


class GatewayConnection(PlainConnection):
    """To a gateway: text, and one argument."""

    def handle_outgoing_message(self, message):
        self.to_client.append(message)


def test_a_gateways_events_are_taken_and_kept_from_the_client(intake, schema, taken):
    def take(kernel_id, content):
        taken.append((kernel_id, json.loads(content)))

    rig = Rig(intake, schema, GatewayConnection, kernel_events=take)
    parent = SESSION.msg("kernel_info_request")
    for kind in ("jupyter_otel_event", "status"):
        said = SESSION.pack(SESSION.msg(kind, EVENTS, parent=parent)).decode()
        rig.connection.handle_outgoing_message(said)

    assert taken == [("k1", EVENTS)]
    assert len(rig.connection.to_client) == 1


def test_an_execution_is_attributed_from_its_request_on(rig):
    msg = rig.ask()
    rig.reply(msg)
    rig.state(msg, "idle")

    attribution = rig.intake.taken[0].attribution._replace(time_ns=None)
    of = rig.reports.attributions.of
    assert of("k1", msg["msg_id"]) == attribution
    assert of("k1", "another") is None


def test_of_several_connections_to_a_gateways_kernel_one_hands_events_on(
    intake, schema, taken
):
    def take(kernel_id, content):
        taken.append((kernel_id, json.loads(content)))

    rig = Rig(intake, schema, GatewayConnection, kernel_events=take)
    first, second = rig.connection, capturing(GatewayConnection, rig.capture)()
    said = SESSION.pack(SESSION.msg("jupyter_otel_event", EVENTS)).decode()
    for connection in (first, second):
        connection.handle_outgoing_message(said)
    first.disconnect()
    second.handle_outgoing_message(said)

    assert taken == [("k1", EVENTS)] * 2
    assert first.to_client == second.to_client == []


@pytest.mark.parametrize(
    ("state", "of_request", "ends"),
    [
        ("restarting", False, 1),
        ("dead", False, 1),
        ("busy", False, 0),
        ("restarting", True, 0),
    ],
)
def test_a_gateway_tells_of_a_kernels_death_in_answer_to_nobody(
    intake, schema, state, of_request, ends
):
    rig = Rig(intake, schema, GatewayConnection)
    request = rig.ask()
    parent = request if of_request else None
    said = SESSION.msg("status", {"execution_state": state}, parent=parent)
    rig.connection.handle_outgoing_message(SESSION.pack(said).decode())

    statuses = [event["status"] for event in intake.data if "status" in event]
    assert statuses == ["kernel_died"] * ends
