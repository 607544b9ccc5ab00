import hashlib
import hmac

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from jupyter_otel.event import Person
from jupyter_otel.exporters.splitting import MAX_ROW_BYTES
from jupyter_otel.schema import Group
from jupyter_otel.tally import Signal
from jupyter_otel.telemetry import Telemetry

ANN, BOB = Person("user:ann", "ann"), Person("user:bob", "bob")


@pytest.fixture
def open_relayed(config, tmp_path):
    """Return what opens the relayed road of a telemetry; closed at the end."""
    opened = []
    config.OtelPolicy.level = "operational"
    config.OtelRedaction.hash_key_file = str(tmp_path / "hash_key")
    config.OtelConsent.directory = str(tmp_path / "consent")

    def open_one(**consent):
        config.OtelConsent.update(consent)
        telemetry = Telemetry(config)
        opened.append(telemetry)
        telemetry.relayed.open()
        return telemetry

    yield open_one
    for telemetry in opened:
        telemetry.close()


def put(telemetry, spans, *people):
    requests = [encode_spans(spans)]
    return telemetry.relayed.put(Signal.TRACES, requests, people or [ANN], "k1")


def books(telemetry):
    traces = telemetry.tally().traces
    return traces.accepted, traces.sent, traces.pending, traces.dropped


def resources(receiver):
    requests = receiver.inbox.requests()
    [received] = [each for each in requests if each.signal is Signal.TRACES]
    return [
        {each.key: each.value.string_value for each in layer.resource.attributes}
        for layer in received.message.resource_spans
    ]


@pytest.mark.parametrize("identity", ["hash", "name", "none"])
def test_people_are_named_as_in_every_other_record(
    open_relayed, config, receiver, spans, tmp_path, identity
):
    config.OtelPolicy.identity = identity
    telemetry = open_relayed(mode="mandatory")

    assert put(telemetry, spans) == 0
    assert telemetry.flush()

    key = (tmp_path / "hash_key").read_bytes()
    digest = hmac.new(key, b"ann", hashlib.sha256).hexdigest()
    named = {
        "hash": {"user.hash": f"{hashlib.sha256(key).hexdigest()[:8]}:{digest}"},
        "name": {"user.name": "ann"},
        "none": {},
    }
    for resource in resources(receiver):
        found = {n: v for n, v in resource.items() if n.startswith("user.")}
        assert found == named[identity]
    assert books(telemetry) == (3, 3, 0, {})


def test_without_a_yes_nothing_is_stored_and_all_is_counted(
    open_relayed, receiver, spans
):
    telemetry = open_relayed(mode="opt_in")

    assert put(telemetry, spans) == 3
    assert telemetry.flush()
    assert receiver.inbox.requests() == []
    assert books(telemetry) == (3, 0, 0, {"no_consent": 3})


def test_a_no_erases_what_waits_of_that_person_alone(open_relayed, config, spans):
    config.OtelExport.endpoint = "http://127.0.0.1:9"
    telemetry = open_relayed(mode="opt_out")
    put(telemetry, spans)
    put(telemetry, spans, BOB)

    telemetry.choices.change(ANN, {Group.EXTENSIONS: False}, by="page")

    assert books(telemetry) == (6, 0, 3, {"no_consent": 3})


def test_a_large_request_becomes_rows_that_every_receiver_takes(
    open_relayed, receiver, spans
):
    telemetry = open_relayed(mode="mandatory")
    request = encode_spans(spans)
    for layer in request.resource_spans:
        for scope in layer.scope_spans:
            for span in scope.spans:
                span.name = "n" * (MAX_ROW_BYTES // 2)

    assert telemetry.relayed.put(Signal.TRACES, [request], [ANN], "k1") == 0
    assert telemetry.flush()
    assert books(telemetry) == (3, 3, 0, {})
    sizes = [received.message.ByteSize() for received in receiver.inbox.requests()]
    assert len(sizes) >= 1
    assert max(sizes) < 2 * MAX_ROW_BYTES


def test_ids_that_are_none_change_nothing(open_relayed, receiver, spans):
    telemetry = open_relayed(mode="mandatory")
    request = encode_spans(spans)
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"

    assert telemetry.relayed.put(Signal.TRACES, [request], [ANN], "k1") is None
    assert books(telemetry) == (0, 0, 0, {})


def test_what_is_of_several_people_names_none_and_needs_every_ones_yes(
    open_relayed, config, receiver, spans
):
    config.OtelPolicy.identity = "name"
    telemetry = open_relayed(mode="opt_in")
    telemetry.choices.change(ANN, {Group.EXTENSIONS: True}, by="page")

    without_bob = put(telemetry, spans, ANN, BOB)
    telemetry.choices.change(BOB, {Group.EXTENSIONS: True}, by="page")
    with_bob = put(telemetry, spans, ANN, BOB)
    assert telemetry.flush()

    assert (without_bob, with_bob) == (3, 0)
    assert [r for r in resources(receiver) if "user.name" in r] == []
    assert books(telemetry) == (6, 3, 0, {"no_consent": 3})


def test_a_no_of_one_of_them_erases_what_waits_of_all(open_relayed, config, spans):
    config.OtelExport.endpoint = "http://127.0.0.1:9"
    telemetry = open_relayed(mode="opt_out")
    put(telemetry, spans, ANN, BOB)

    telemetry.choices.change(BOB, {Group.EXTENSIONS: False}, by="page")

    assert books(telemetry) == (3, 0, 0, {"no_consent": 3})
