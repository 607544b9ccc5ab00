import threading
from datetime import UTC, datetime

import pytest
from jupyter_events import EventLogger

from jupyter_otel.errors import ConfigError, SchemaError
from jupyter_otel.tally import Signal
from jupyter_otel.telemetry import Telemetry
from tests.unit.telemetry.conftest import SCHEMA

RUN = SCHEMA["$id"]
EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
ALLOWED = {"RuntimeError"}


def attributes(record):
    return {pair.key: pair.value for pair in record.attributes}


def test_an_event_reaches_the_collector_once(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)

    assert telemetry.emit(schema_id=RUN, data={"tool": "lint", "n": 3})
    assert telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    found = attributes(record)
    assert record.event_name == "org.example.tools.run"
    assert found["jupyter.event.tool"].string_value == "lint"
    assert found["jupyter.event.n"].int_value == 3
    assert found["jupyter.source"].string_value == "app"


def test_the_books_say_what_became_of_every_event(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)

    taken = [
        telemetry.emit(schema_id=RUN, data={"tool": "lint"}),
        telemetry.emit(schema_id=RUN, data={"n": 3}),
        telemetry.emit(schema_id=RUN, data={"tool": b"bytes"}),
        telemetry.emit(schema_id=RUN, data=["no", "object"]),
        telemetry.emit(schema_id="urn:unknown", data={}),
        telemetry.emit(schema_id=EXECUTION, data={"phase": "finished"}),
        telemetry.emit(
            schema_id=EXECUTION, data={"phase": "finished", "duration_ms": 1.5}
        ),
    ]
    telemetry.flush()

    assert taken == [True, True, False, False, False, True, True]
    assert telemetry.tally().to_json()["signals"] == {
        "logs": {
            "accepted": 4,
            "sent": 3,
            "pending": 0,
            "aggregated": 0,
            "dropped": {"invalid": 1},
            "refused": {"not_json": 2, "unknown_schema": 1},
        },
        "traces": {
            "accepted": 1,
            "sent": 1,
            "pending": 0,
            "aggregated": 0,
            "dropped": {},
            "refused": {},
        },
        "metrics": {
            "accepted": 0,
            "sent": 0,
            "pending": 0,
            "aggregated": 0,
            "dropped": {},
            "refused": {},
        },
    }


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("level", "operational", "level"),
        ("exclude", ["https://example.org/*"], "excluded"),
    ],
)
def test_what_policy_refuses_is_counted_by_reason(
    config, open_telemetry, setting, value, reason
):
    config.OtelPolicy[setting] = value
    telemetry = open_telemetry(config)

    assert not telemetry.emit(schema_id=RUN, data={"tool": "lint"})

    assert telemetry.tally().logs.refused == {reason: 1}


def test_at_level_none_there_is_no_thread_no_file_and_no_acceptance(tmp_path, config):
    config.OtelPolicy.level = "none"
    before, files = set(threading.enumerate()), set(tmp_path.rglob("*"))

    with Telemetry(config) as telemetry:
        taken = telemetry.emit(schema_id=RUN, data={"tool": "lint"})
        answers = (telemetry.enabled, telemetry.flush(), telemetry.status()["level"])
        assert set(threading.enumerate()) == before

    assert (taken, answers) == (False, (False, True, "none"))
    assert set(tmp_path.rglob("*")) == files


def test_the_disabled_sdk_beats_the_level(config, monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    with Telemetry(config) as telemetry:
        assert not telemetry.enabled


def test_strict_raises_for_what_a_schema_refuses(config, open_telemetry):
    telemetry = open_telemetry(config, strict=True)

    with pytest.raises(SchemaError, match=r"does not fit .*/run/v1: "):
        telemetry.emit(schema_id=RUN, data={"n": 1})
    with pytest.raises(SchemaError, match="No schema has the id 'urn:x'"):
        telemetry.emit(schema_id="urn:x", data={})


def test_strict_does_not_raise_for_policy(config, open_telemetry):
    config.OtelPolicy.exclude = ["*"]
    telemetry = open_telemetry(config, strict=True)

    assert not telemetry.emit(schema_id=RUN, data={"n": 1})


def test_everything_wrong_with_the_settings_is_said_at_once(config):
    config.OtelPolicy.level = "everything"
    config.OtelSpool.max_mib = -1

    with pytest.raises(ConfigError) as caught:
        Telemetry(config)

    assert "OtelPolicy.level" in str(caught.value)
    assert "OtelSpool.max_mib" in str(caught.value)


def test_a_key_that_is_too_short_is_said_at_the_start(config, tmp_path):
    (tmp_path / "hash_key").write_bytes(b"short")

    with pytest.raises(ConfigError, match="at least 32 raw bytes"):
        Telemetry(config)


@pytest.mark.parametrize(
    ("timestamp", "time_ns"),
    [
        (10**18 + 1, 10**18 + 1),
        (datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), 1767323045678901000),
    ],
)
def test_an_event_keeps_its_own_time(
    config, receiver, open_telemetry, timestamp, time_ns
):
    telemetry = open_telemetry(config)

    telemetry.emit(schema_id=RUN, data={"tool": "x"}, timestamp=timestamp)
    telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    assert record.time_unix_nano == time_ns


@pytest.mark.parametrize("timestamp", [datetime(2026, 1, 1), -5, 2**64, "today"])  # noqa: DTZ001
def test_a_time_that_cannot_be_read_is_now_and_counted(
    config, receiver, open_telemetry, timestamp
):
    telemetry = open_telemetry(config)

    assert telemetry.emit(schema_id=RUN, data={"tool": "x"}, timestamp=timestamp)
    telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    assert record.time_unix_nano == record.observed_time_unix_nano
    assert telemetry.tally().remarks == {"unreadable_time": 1}


def test_what_the_producer_changes_later_is_not_sent(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)
    data = {"tool": "before"}

    telemetry.emit(schema_id=RUN, data=data)
    data["tool"] = "after"
    telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    assert attributes(record)["jupyter.event.tool"].string_value == "before"


def test_an_attached_event_logger_is_listened_to(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)
    bus = EventLogger()
    bus.register_event_schema(SCHEMA | {"title": "Run"})
    config_overlay_covers_it = RUN

    telemetry.attach(bus)
    bus.emit(schema_id=config_overlay_covers_it, data={"tool": "bus"})
    telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    assert attributes(record)["jupyter.event.tool"].string_value == "bus"


def test_a_record_says_which_package_its_schema_is_of(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)
    contents = "https://events.jupyter.org/jupyter_server/contents_service/v1"

    telemetry.emit(schema_id=contents, data={"action": "get", "path": "a.ipynb"})
    telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    found = attributes(record)
    assert found["jupyter.schema.package"].string_value == "jupyter_server"
    assert "a.ipynb" not in str(record)


def test_an_unsampled_span_is_counted_and_its_record_sent(
    config, receiver, open_telemetry, monkeypatch
):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    telemetry = open_telemetry(config)

    telemetry.emit(schema_id=EXECUTION, data={"phase": "finished", "duration_ms": 1})
    telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    assert (len(record.trace_id), record.flags) == (16, 0)
    assert telemetry.tally().traces.dropped == {"sampled": 1}


def test_without_traces_the_record_keeps_its_ids(config, receiver, open_telemetry):
    config.OtelTraces.enabled = False
    telemetry = open_telemetry(config)

    telemetry.emit(schema_id=EXECUTION, data={"phase": "finished", "duration_ms": 1})
    telemetry.flush()

    (record,) = receiver.inbox.records(Signal.LOGS)
    assert len(record.trace_id) == 16
    assert telemetry.tally().traces.accepted == 0
    assert receiver.inbox.records(Signal.TRACES) == []


def test_a_preview_changes_no_books_and_sends_nothing(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)

    shown = telemetry.preview(RUN, {"tool": "lint", "secret": 1})
    telemetry.flush()

    assert shown["exported"]
    assert telemetry.tally().logs.accepted == 0
    assert telemetry.tally().remarks == {}
    assert receiver.inbox.requests() == []


@pytest.mark.parametrize(
    ("schema_id", "data", "consent", "reason"),
    [
        ("urn:unknown", {}, True, "unknown_schema"),
        (RUN, {"tool": object()}, True, "not_json"),
        (RUN, {}, True, "invalid"),
        (RUN, {"tool": "x"}, False, "no_consent"),
        (
            "https://events.jupyter.org/jupyter_server/gateway_client/v1",
            {"status": "nonsense"},
            True,
            "invalid",
        ),
    ],
)
def test_a_preview_gives_the_reason_why_nothing_leaves(
    config, open_telemetry, schema_id, data, consent, reason
):
    telemetry = open_telemetry(config)

    shown = telemetry.preview(schema_id, data, consent=consent)

    where = {"error"} if reason == "invalid" else set()
    assert (shown["exported"], shown["reason"]) == (False, reason)
    assert set(shown) == {"exported", "reason"} | where


def test_after_closing_nothing_is_accepted(config, receiver, open_telemetry):
    telemetry = open_telemetry(config)
    telemetry.close()

    assert not telemetry.emit(schema_id=RUN, data={"tool": "late"})
    assert telemetry.flush()


def test_a_source_that_there_is_not_is_said_at_the_start(config):
    with pytest.raises(ConfigError, match=r"must be one of server, .*, got 'bogus'"):
        Telemetry(config, source="bogus")


def test_a_preview_is_what_the_pipeline_would_do(config, tmp_path, open_telemetry):
    finished = {"phase": "finished", "duration_ms": 1}
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(overlay.read_text().rstrip() + "\n    sample: 0.5\n")
    config.OtelTraces.enabled = False
    telemetry = open_telemetry(config)

    shares = [telemetry.preview(RUN, {"tool": "x"}).get("sampled") for _ in range(20)]

    assert shares == [0.5] * 20
    assert "span" not in telemetry.preview(EXECUTION, finished)
    too_large = telemetry.preview(RUN, {"tool": "x" * 20_000_000})
    assert too_large == {"exported": False, "reason": "too_large"}


@pytest.mark.parametrize("schema_id", [RUN, "urn:unknown"])
def test_a_preview_of_a_disabled_sdk_says_level(config, monkeypatch, schema_id):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    with Telemetry(config) as telemetry:
        telemetry.register_schema(SCHEMA)
        shown = telemetry.preview(schema_id, {"tool": "x"})

    assert shown == {"exported": False, "reason": "level"}
