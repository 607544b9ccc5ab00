import logging
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from jupyter_events import EventLogger

from jupyter_otel.event import Attribution, Person, Source, Trust
from jupyter_otel.sources.server_events import EventLoggerHandler

RUN = "https://example.org/tools/run/v1"


def run_schema(version: str = "1", **properties: dict[str, str]) -> dict[str, object]:
    return {
        "$id": RUN,
        "version": version,
        "title": "Run",
        "type": "object",
        "properties": properties or {"tool": {"type": "string"}},
    }


@pytest.fixture
def bus():
    bus = EventLogger()
    yield bus
    for handler in list(bus.handlers):
        bus.remove_handler(handler)


def attached(bus, intake, attribution=Attribution):
    handler = EventLoggerHandler(bus, intake, attribution)
    bus.register_handler(handler)
    return handler


def test_an_event_is_handed_in_without_its_capsule(bus, intake):
    bus.register_event_schema(run_schema())
    attached(bus, intake)

    moment = datetime(2026, 11, 22, 19, 49, 40, 411683, tzinfo=UTC)
    bus.emit(schema_id=RUN, data={"tool": "saw"}, timestamp_override=moment)

    [taken] = intake.taken
    assert (taken.schema.id, taken.data) == (RUN, {"tool": "saw"})
    assert taken.attribution == Attribution(
        time_ns=1_795_376_980_411_683_000, validated=True
    )


def test_the_attribution_is_asked_for_at_each_event(bus, intake):
    bus.register_event_schema(run_schema())
    people = iter(["ann", "bob"])
    attached(
        bus,
        intake,
        lambda: Attribution(
            person=Person("server", next(people)),
            source=Source.SERVER,
            trust=Trust.SERVER,
        ),
    )

    bus.emit(schema_id=RUN, data={})
    bus.emit(schema_id=RUN, data={})

    names = [event.attribution.person.user_name for event in intake.taken]
    assert names == ["ann", "bob"]
    assert {event.attribution.source for event in intake.taken} == {Source.SERVER}


def test_schemas_come_from_the_registry_at_first_sight(bus, intake):
    attached(bus, intake)
    body = run_schema()
    bus.register_event_schema(body)

    bus.emit(schema_id=RUN, data={"tool": "saw"})
    bus.emit(schema_id=RUN, data={"tool": "axe"})

    assert intake.adopted == [(body, "event logger")]


def test_a_schema_registered_anew_is_fetched_anew(bus, intake):
    bus.register_event_schema(run_schema())
    attached(bus, intake)
    bus.emit(schema_id=RUN, data={})

    bus.schemas.remove(RUN)
    bus.register_event_schema(run_schema("2"))
    bus.emit(schema_id=RUN, data={})

    versions = [event.schema.body["version"] for event in intake.taken]
    assert versions == ["1", "2"]


def test_what_emit_returns_is_not_changed(bus, intake):
    bus.register_event_schema(run_schema())
    attached(bus, intake)

    capsule = bus.emit(schema_id=RUN, data={"tool": "saw"})

    assert set(capsule) == {
        "__timestamp__",
        "__schema__",
        "__schema_version__",
        "__metadata_version__",
        "tool",
    }


def test_a_property_named_message_is_kept(bus, intake):
    bus.register_event_schema(run_schema(message={"type": "string"}))
    attached(bus, intake)

    bus.emit(schema_id=RUN, data={"message": "hello"})

    assert intake.data == [{"message": "hello"}]


def test_events_of_any_thread_are_taken(bus, intake):
    bus.register_event_schema(run_schema())
    attached(bus, intake)

    thread = threading.Thread(target=lambda: bus.emit(schema_id=RUN, data={}))
    thread.start()
    thread.join()

    assert intake.data == [{}]


def test_the_formatter_of_the_event_logger_is_ignored(bus, intake):
    handler = attached(bus, intake)

    assert handler.formatter is None


@pytest.mark.swallows
def test_an_error_of_the_intake_does_not_reach_the_producer(bus, intake, swallowed):
    bus.register_event_schema(run_schema())

    def fail() -> Attribution:
        raise ValueError("ann's password")

    attached(bus, intake, fail)
    bus.emit(schema_id=RUN, data={"tool": "saw"})
    bus.emit(schema_id=RUN, data={"tool": "saw"})

    assert intake.taken == []
    [message] = [record.getMessage() for record in swallowed.records]
    assert message.startswith(
        "jupyter_otel: an event logger's handler went on without: "
        "ValueError at test_server_events.py:"
    )


def test_an_event_that_taking_another_one_causes_is_taken_too(bus, intake):
    bus.register_event_schema(run_schema())
    causes = iter(["inner"])

    def emit_again() -> Attribution:
        for tool in causes:
            bus.emit(schema_id=RUN, data={"tool": tool})
        return Attribution()

    attached(bus, intake, emit_again)
    bus.emit(schema_id=RUN, data={"tool": "outer"})

    assert intake.data == [{"tool": "inner"}, {"tool": "outer"}]


@pytest.mark.swallows
def test_events_that_cause_each_other_come_to_an_end(bus, intake, swallowed):
    bus.register_event_schema(run_schema())

    def emit_again() -> Attribution:
        bus.emit(schema_id=RUN, data={"tool": "inner"})
        return Attribution()

    attached(bus, intake, emit_again)
    bus.emit(schema_id=RUN, data={"tool": "outer"})

    assert intake.data == [{"tool": "inner"}] * 3 + [{"tool": "outer"}]
    [message] = [record.getMessage() for record in swallowed.records]
    assert message == (
        "jupyter_otel: an event logger's handler went on without: "
        "RecursionError at unknown"
    )


def test_another_event_logger_of_the_same_configuration_needs_the_catalog(intake):
    other = EventLogger()
    other.register_event_schema(run_schema())
    handler = EventLoggerHandler(EventLogger(), intake)
    other.register_handler(handler)

    other.emit(schema_id=RUN, data={"tool": "unknown to the catalog"})
    intake.schemas[RUN] = known = intake.adopt(run_schema(), "catalog")
    other.emit(schema_id=RUN, data={"tool": "saw"})

    assert [(event.schema, event.data) for event in intake.taken] == [
        (known, {"tool": "saw"})
    ]
    assert intake.refused == {"unknown_schema": 1}


def test_a_handler_named_in_a_configuration_works_once_it_is_bound(intake):
    handler = EventLoggerHandler()
    bus = EventLogger(handlers=[handler])
    bus.register_event_schema(run_schema())

    bus.emit(schema_id=RUN, data={"tool": "early"})
    assert not handler.is_bound
    handler.bind(intake, event_logger=bus)
    bus.emit(schema_id=RUN, data={"tool": "saw"})
    handler.bind(None)
    bus.emit(schema_id=RUN, data={"tool": "late"})

    assert intake.data == [{"tool": "saw"}]


def test_a_filter_of_the_handler_is_asked(bus, intake):
    bus.register_event_schema(run_schema())
    handler = attached(bus, intake)
    handler.addFilter(lambda record: record.msg["tool"] != "axe")

    bus.emit(schema_id=RUN, data={"tool": "axe"})
    bus.emit(schema_id=RUN, data={"tool": "saw"})

    assert intake.data == [{"tool": "saw"}]


def test_records_that_are_no_events_are_left_alone(intake):
    handler = EventLoggerHandler(None, intake)

    for message in ("text", None, {}, {"__schema__": 3}, {"__schema__": RUN}):
        handler.emit(logging.LogRecord("x", 20, "x", 1, message, (), None))

    assert intake.taken == []


def test_a_time_in_another_zone_is_the_same_moment(bus, intake):
    bus.register_event_schema(run_schema())
    attached(bus, intake)
    zone = timezone(timedelta(hours=-7))

    bus.emit(
        schema_id=RUN,
        data={},
        timestamp_override=datetime(2026, 11, 22, 12, 49, 40, tzinfo=zone),
    )

    assert intake.taken[0].attribution.time_ns == 1_795_376_980_000_000_000
