"""Two ids that give one event name are warned about; two bodies of one id are not."""

import logging

from jupyter_otel.event import SpanContext
from jupyter_otel.mapping.limits import AttributeLimits
from jupyter_otel.mapping.mapper import Mapper
from jupyter_otel.schema import Node, Overlay, Schema


def warnings_of(caplog, *schema_ids):
    limits = AttributeLimits()
    mapper = Mapper(
        start_span=lambda: SpanContext(bytes(16), bytes(8)),
        log_limits=limits,
        span_limits=limits,
    )
    with caplog.at_level(logging.WARNING, "jupyter_otel"):
        for schema_id in schema_ids:
            schema = Schema(schema_id, None, None, "", {}, Node(), Overlay())
            mapper.compile(schema, ())
    return [record.getMessage() for record in caplog.records]


def test_two_ids_with_one_name_are_warned_about(caplog):
    first, second = "https://example.org/a-b/v1", "https://example.org/a_b/v2"

    assert warnings_of(caplog, first, second) == [
        (
            f"Two schemas have the event name org.example.a_b: {first} and {second}. "
            "Tell their records apart by jupyter.schema.id."
        )
    ]


def test_an_id_is_shown_without_what_moves_a_cursor(caplog):
    assert r"urn:a\x1b and urn:a\n." in warnings_of(caplog, "urn:a\x1b", "urn:a\n")[0]


def test_one_id_with_two_bodies_is_not(caplog):
    assert warnings_of(caplog, "urn:a:b", "urn:a:b", "urn:a:c") == []
