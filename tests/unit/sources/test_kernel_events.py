import json
from types import SimpleNamespace

import pytest

from jupyter_otel.event import Attribution, Person, Source, SpanContext, Trust
from jupyter_otel.sources.kernel_events import (
    BURST_EVENTS,
    DATASET_ACCESS,
    MAX_MESSAGE_BYTES,
    KernelEvents,
)
from tests.unit.sources.conftest import make_schema

NOW_NS = 1_795_000_000_000_000_000
SPAN = SpanContext(bytes([1] * 16), bytes([2] * 8))
ANNS = Attribution(Person("user:ann", "ann"), SPAN)
EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
READ = {"operation": "read", "uri": "/data/a.csv"}
TAKEN = {**READ, "kernel_id": "k1"}


def event(**changes):
    usual = {"schema_id": DATASET_ACCESS, "data": READ, "time_ns": NOW_NS}
    return {**usual, "msg_id": "m1", **changes}


def message(*events, sequence=0, lost=0, channel="c1"):
    whole = {"channel": channel, "sequence": sequence, "lost": lost, "events": events}
    return json.dumps(whole).encode()


@pytest.fixture
def clock():
    return SimpleNamespace(s=0.0)


@pytest.fixture
def reader(intake, clock):
    intake.schemas = {name: make_schema(name) for name in (DATASET_ACCESS, EXECUTION)}
    known = {("k1", "m1"): ANNS}
    return KernelEvents(
        intake,
        lambda *key: known.get(key),
        now_s=lambda: clock.s,
        now_ns=lambda: NOW_NS,
    )


def test_an_event_is_handed_in_as_the_executions_and_on_the_kernels_word(
    reader, intake
):
    reader.take("k1", message(event()))

    [taken] = intake.taken
    assert (taken.schema.id, taken.data) == (DATASET_ACCESS, TAKEN)
    assert taken.attribution == Attribution(
        person=ANNS.person,
        span=SPAN,
        time_ns=NOW_NS,
        source=Source.KERNEL,
        trust=Trust.CLIENT,
    )
    assert intake.refused == {}


def test_what_the_message_says_of_identity_span_and_trust_is_not_read(reader, intake):
    forged = {
        "person": "root",
        "user_name": "root",
        "trust": "hub",
        "source": "server",
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        "span": "x",
    }
    reader.take("k1", message(event(**forged)))

    [taken] = intake.taken
    assert taken.attribution == ANNS._replace(
        time_ns=NOW_NS, source=Source.KERNEL, trust=Trust.CLIENT
    )


def test_which_kernel_it_was_is_not_read_from_the_message(reader, intake):
    forged = {**READ, "kernel_id": "k2"}
    reader.take("k1", message(event(data=forged, kernel_id="k2")))

    assert intake.data == [TAKEN]


@pytest.mark.parametrize(
    ("schema_id", "reason"),
    [
        (EXECUTION, "not_allowed"),
        ("https://schema.jupyter.org/jupyterhub/events/server-action", "not_allowed"),
        (DATASET_ACCESS + "/", "not_allowed"),
        (None, "malformed"),
        ([DATASET_ACCESS], "malformed"),
    ],
)
def test_a_schema_that_kernels_may_not_report_is_refused(
    reader, intake, schema_id, reason
):
    reader.take("k1", message(event(schema_id=schema_id), event()))

    assert intake.data == [TAKEN]
    assert intake.refused == {reason: 1}


@pytest.mark.parametrize(("kernel_id", "msg_id"), [("k1", "m2"), ("k2", "m1")])
def test_an_execution_that_the_server_does_not_know_attributes_nothing(
    reader, intake, kernel_id, msg_id
):
    reader.take(kernel_id, message(event(msg_id=msg_id)))

    assert (intake.taken, intake.refused) == ([], {"unattributed": 1})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b"[" * 50_000,
        b"null",
        b"[]",
        b"{}",
        b'{"channel":"c","sequence":0,"lost":0,"events":{}}',
        b'{"channel":"c","sequence":-1,"lost":0,"events":[]}',
        b'{"channel":"c","sequence":1e3,"lost":0,"events":[]}',
        b'{"channel":"c","sequence":true,"lost":0,"events":[]}',
        b'{"channel":"c","sequence":0,"lost":"9","events":[]}',
        b'{"channel":7,"sequence":0,"lost":0,"events":[]}',
        message(*[{}] * 101),
    ],
)
def test_what_is_no_message_of_ours_is_counted_once(reader, intake, content):
    reader.take("k1", content)

    assert (intake.taken, intake.refused) == ([], {"malformed": 1})


@pytest.mark.parametrize(
    "changes",
    [{"data": None}, {"data": [1]}, {"data": "x"}, {"msg_id": None}, {"msg_id": 7}],
)
def test_an_event_of_wrong_types_costs_no_other_event(reader, intake, changes):
    reader.take("k1", message(event(**changes), "text", None, event()))

    assert (intake.data, intake.refused) == ([TAKEN], {"malformed": 3})


@pytest.mark.parametrize(
    "time_ns", [None, True, "now", 1.5, -1, 0, 2**70, NOW_NS + 10**13, NOW_NS - 10**13]
)
def test_a_time_that_is_none_or_far_from_ours_is_now(reader, intake, time_ns):
    reader.take("k1", message(event(time_ns=time_ns)))

    assert [taken.attribution.time_ns for taken in intake.taken] == [None]


def test_a_huge_message_is_not_even_parsed(reader, intake):
    reader.take("k1", message(event()).ljust(MAX_MESSAGE_BYTES + 1))

    assert (intake.taken, intake.refused) == ([], {"too_large": 1})


def test_a_gap_in_the_numbers_and_what_the_kernel_lost_itself_are_counted(
    reader, intake
):
    reader.take("k1", message(event(), sequence=0))
    reader.take("k1", message(event(), sequence=3, lost=40))
    reader.take("k1", message(event(), sequence=4))

    assert (len(intake.taken), intake.refused) == (3, {"lost": 42})


def test_a_channel_that_begins_late_has_lost_its_beginning(reader, intake):
    reader.take("k1", message(event(), sequence=2))

    assert intake.refused == {"lost": 2}


def test_a_message_that_comes_over_two_connections_is_taken_once(reader, intake):
    for sequence in (0, 0, 1, 1, 0):
        reader.take("k1", message(event(), sequence=sequence))

    assert (len(intake.taken), intake.refused) == (2, {})


def test_forged_losses_are_bounded(reader, intake):
    reader.take("k1", message(sequence=2**60, lost=2**60))

    assert intake.refused == {"lost": 200_000}


def test_a_flood_is_refused_and_other_kernels_are_heard(reader, intake, clock):
    for number in range(200):
        reader.take("k1", message(*[event()] * 100, sequence=number))
    accepted = len(intake.taken)
    reader.take("k2", message(event(msg_id="unknown")))

    assert BURST_EVENTS - 500 <= accepted <= BURST_EVENTS
    assert intake.refused == {"flood": 200 - accepted // 100, "unattributed": 1}
    clock.s += 1
    reader.take("k1", message(event(), sequence=200))
    assert len(intake.taken) == accepted + 1


def test_a_flood_of_empty_messages_and_of_channels_is_bounded(reader, intake):
    for number in range(5000):
        reader.take("k1", message(channel=f"c{number}"))

    assert intake.refused == {"flood": 4000}
    assert len(reader._kernels["k1"].next_sequences) == 16


def test_kernels_are_forgotten_in_time(reader, intake):
    for number in range(2000):
        reader.take(f"kernel {number}", message())

    assert len(reader._kernels) == 500


def test_a_kernel_that_is_heard_again_and_again_is_not_forgotten(reader, intake, clock):
    for number in range(2000):
        reader.take("k1", message(event(), sequence=number))
        reader.take(f"kernel {number}", message())
        clock.s += 1
    reader.take("k1", message(event(), sequence=2001))

    assert intake.refused == {"lost": 1}


def test_what_a_forgotten_kernel_reports_next_is_no_loss(reader, intake):
    reader.take("k1", message(event(), sequence=0))
    for number in range(500):
        reader.take(f"kernel {number}", message())
    reader.take("k1", message(event(), sequence=1000))
    reader.take("k1", message(event(), sequence=1002))

    assert intake.refused == {"lost": 1}


def test_a_forgotten_channel_s_next_message_is_no_loss(reader, intake):
    reader.take("k1", message(sequence=0))
    for number in range(16):
        reader.take("k1", message(channel=f"child {number}"))
    reader.take("k1", message(sequence=1000))

    assert intake.refused == {}


@pytest.mark.swallows
def test_an_error_reaches_nobody(intake, swallowed):
    intake.schemas = {DATASET_ACCESS: make_schema(DATASET_ACCESS)}

    def fail(*_):
        raise ValueError("ann's password")

    KernelEvents(intake, fail).take("k1", message(event()))

    [logged] = [record.getMessage() for record in swallowed.records]
    assert logged.startswith(
        "jupyter_otel: the reader of kernels' events went on without: ValueError at"
    )
