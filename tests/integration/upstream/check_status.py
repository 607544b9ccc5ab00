"""Run among the suite's tests: the extension answers in the servers they get."""

import json


async def test_the_extension_is_loaded_and_collects(jp_fetch, jp_serverapp):
    bus = jp_serverapp.event_logger
    bus.register_event_schema(
        {
            "$id": "https://example.org/upstream/v1",
            "version": "1",
            "title": "Upstream",
            "type": "object",
            "properties": {"a": {"type": "string"}},
        }
    )
    bus.emit(schema_id="https://example.org/upstream/v1", data={"a": "b"})

    answer = await jp_fetch("otel", "v1", "status")

    status = json.loads(answer.body)
    assert status["level"] == "audit"
    assert status["signals"]["logs"]["accepted"] >= 1
