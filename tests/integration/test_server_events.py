"""Events of a real server's bus, as they are exported."""

from datetime import UTC, datetime

SAVED = "jupyter_server.contents_service"
ACTIONS = "jupyter_server.kernel_actions"


def test_contents_and_kernel_events_arrive(server, wait_until):
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    model = {"type": "notebook", "format": "json", "content": notebook}
    server.request("PUT", "api/contents/kept.ipynb", model)
    kernel_id = server.start_kernel()
    server.request("DELETE", f"api/kernels/{kernel_id}")

    saved = wait_until(
        lambda: server.logs(
            SAVED,
            **{"jupyter.event.action": "save", "jupyter.event.path": "kept.ipynb"},
        )
    )
    actions = wait_until(
        lambda: server.logs(ACTIONS, **{"jupyter.event.kernel_id": kernel_id}),
        lambda records: len(records) >= 2,
    )
    assert [r.attributes["jupyter.event.action"] for r in actions] == [
        "start",
        "shutdown",
    ]
    for record in saved + actions:
        assert record.attributes["jupyter.source"] == "server"
        assert record.attributes["jupyter.schema.package"] == "jupyter_server"


def test_a_time_of_the_producers_own_is_kept(server, wait_until):
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    body = {
        "schema_id": "https://events.jupyter.org/jupyter_server/contents_service/v1",
        "version": "1",
        "data": {"action": "get", "path": "of-the-past.ipynb"},
        "timestamp": moment.isoformat() + "Z",
    }
    server.request("POST", "api/events", body)

    [record] = wait_until(
        lambda: server.logs(SAVED, **{"jupyter.event.path": "of-the-past.ipynb"})
    )
    assert record.raw["timeUnixNano"] == "1767323045000000000"


CONFIGURED = """
from jupyter_otel.sources.server_events import EventLoggerHandler
c.EventLogger.handlers = [EventLoggerHandler()]
c.OtelPolicy.level = "audit"
c.OtelConsent.mode = "mandatory"
"""


def test_a_handler_named_in_the_configuration_is_used_once(start_server, wait_until):
    server = start_server(files={"config/jupyter_server_config.py": CONFIGURED})

    handlers = server.probe()["handlers"]
    kernel_id = server.start_kernel()

    assert handlers.count("EventLoggerHandler") == 1
    started = wait_until(
        lambda: server.logs(ACTIONS, **{"jupyter.event.kernel_id": kernel_id})
    )
    assert len(started) == 1
    assert server.end() == 0
