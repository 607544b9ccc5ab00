"""What a stock installation emits, as it leaves under the overlays shipped here."""

import re
from typing import Any, NamedTuple

import pytest

from tests.unit.records import (
    JO,
    JO_SHORT,
    PATH,
    PATH_SHORT,
    TIME,
    Style,
    boolean,
    double,
    integer,
    open_telemetry,
    record,
    set_aside,
    text,
)


class Stock(NamedTuple):
    """An event of a schema with an overlay of ours, and its record."""

    schema_id: str
    package: str | None
    level: str
    data: dict[str, Any]
    event_name: str
    body: str
    payload: list[Any]
    severity: tuple[str, int] = ("INFO", 9)

    @property
    def style(self):
        """The same without where it comes from."""
        body = self.event_name + self.body
        return Style(None, self.data, self.event_name, body, self.payload)


SERVER = "https://events.jupyter.org/jupyter_server/"
EXECUTION = "https://events.jupyter.org/jupyter_otel/execution/v1"
COLLABORATION = "https://schema.jupyter.org/jupyter_collaboration/"

STOCK = [
    Stock(
        SERVER + "contents_service/v1",
        "jupyter_server",
        "usage",
        {"action": "save", "path": "a/b.ipynb", "undeclared": 1},
        "jupyter_server.contents_service",
        f" action=save path={PATH_SHORT}",
        [text("jupyter.event.action", "save"), text("jupyter.event.path", PATH)],
    ),
    Stock(
        SERVER + "contents_service/v1",
        "jupyter_server",
        "audit",
        {"action": "rename", "path": "a/c.ipynb", "source_path": "a/b.ipynb"},
        "jupyter_server.contents_service",
        " action=rename path=a/c.ipynb source_path=a/b.ipynb",
        [
            text("jupyter.event.action", "rename"),
            text("jupyter.event.path", "a/c.ipynb"),
            text("jupyter.event.source_path", "a/b.ipynb"),
        ],
    ),
    Stock(
        SERVER + "kernel_actions/v1",
        "jupyter_server",
        "operational",
        {"action": "start", "status": "error", "status_code": 500, "msg": "/home/jo"},
        "jupyter_server.kernel_actions",
        " action=start status=error status_code=500",
        [
            text("jupyter.event.action", "start"),
            text("jupyter.event.status", "error"),
            integer("jupyter.event.status_code", 500),
        ],
        ("ERROR", 17),
    ),
    Stock(
        SERVER + "gateway_client/v1",
        "jupyter_server",
        "audit",
        {
            "status": "success",
            "msg": "hi",
            "status_code": 200,
            "gateway_url": "http://g",
        },
        "jupyter_server.gateway_client",
        " status=success status_code=200 msg=hi",
        [
            text("jupyter.event.status", "success"),
            integer("jupyter.event.status_code", 200),
            text("jupyter.event.msg", "hi"),
            text("jupyter.event.gateway_url", "http://g"),
        ],
    ),
    Stock(
        "https://schema.jupyter.org/jupyterhub/events/server-action",
        "jupyterhub",
        "operational",
        {"action": "start", "username": "jo", "servername": "thesis"},
        "jupyterhub.server_action",
        f" action=start username={JO_SHORT}",
        [text("jupyter.event.action", "start"), text("jupyter.event.username", JO)],
    ),
    Stock(
        COLLABORATION + "session/v1",
        "jupyter-server-ydoc",
        "audit",
        {"level": "WARNING", "room": "r", "path": "a/b.ipynb", "msg": "mail jo@x.org"},
        "jupyter_collaboration.session",
        " level=WARNING room=r path=a/b.ipynb",
        [
            text("jupyter.event.level", "WARNING"),
            text("jupyter.event.room", "r"),
            text("jupyter.event.path", "a/b.ipynb"),
            text("jupyter.event.msg", "mail [email]"),
        ],
        ("WARN", 13),
    ),
    Stock(
        COLLABORATION + "awareness/v1",
        "jupyter-server-ydoc",
        "usage",
        {"roomid": "r", "username": "jo", "action": "join", "msg": "hello"},
        "jupyter_collaboration.awareness",
        f" roomid=r username={JO_SHORT} action=join",
        [
            text("jupyter.event.roomid", "r"),
            text("jupyter.event.username", JO),
            text("jupyter.event.action", "join"),
        ],
    ),
    Stock(
        COLLABORATION + "fork/v1",
        "jupyter-server-ydoc",
        "usage",
        {
            "fork_roomid": "f",
            "fork_info": {
                "root_roomid": "r",
                "synchronize": False,
                "title": "t",
                "description": "d",
            },
            "username": "jo",
            "action": "create",
        },
        "jupyter_collaboration.fork",
        " fork_roomid=f root_roomid=r synchronize=false",
        [
            text("jupyter.event.fork_roomid", "f"),
            text("jupyter.event.fork_info.root_roomid", "r"),
            boolean("jupyter.event.fork_info.synchronize", False),
            text("jupyter.event.username", JO),
            text("jupyter.event.action", "create"),
        ],
    ),
    Stock(
        EXECUTION,
        "jupyter-otel",
        "usage",
        {"phase": "started", "code": "x = 1", "code_lines": 1, "cell_id": "c"},
        "jupyter_otel.execution",
        " phase=started code_lines=1 cell_id=c",
        [
            text("jupyter.event.phase", "started"),
            integer("jupyter.event.code_lines", 1),
            text("jupyter.cell.id", "c"),
        ],
    ),
]


@pytest.mark.parametrize(
    "stock", STOCK, ids=lambda stock: f"{stock.event_name}-{stock.level}"
)
def test_what_a_stock_installation_emits_leaves_as_its_overlay_says(tmp_path, stock):
    with open_telemetry(tmp_path, level=stock.level) as opened:
        shown = opened.preview(stock.schema_id, stock.data, timestamp=TIME)

    expected = record(stock.schema_id, stock.style, stock.package, stock.severity)
    assert set_aside(shown) == {"exported": True, "log_record": expected}


def test_a_finished_execution_is_a_record_and_a_span_with_the_same_ids(tmp_path):
    data = {
        "phase": "finished",
        "status": "error",
        "error_name": "NameError",
        "queued_ms": 0.5,
        "duration_ms": 12,
        "code": "1 / 0",
        "output_count": 1,
        "notebook_path": "a/b.ipynb",
        "kernel_id": "k",
    }

    with open_telemetry(tmp_path, level="usage") as opened:
        shown = set_aside(opened.preview(EXECUTION, data, timestamp=TIME))

    trace_id, span_id = shown["span"].pop("traceId"), shown["span"].pop("spanId")
    payload = [
        text("jupyter.event.phase", "finished"),
        text("jupyter.event.status", "error"),
        text("jupyter.event.error_name", "NameError"),
        double("jupyter.event.queued_ms", 0.5),
        integer("jupyter.event.duration_ms", 12),
        integer("jupyter.event.output_count", 1),
        text("jupyter.notebook.path", PATH),
        text("jupyter.kernel.id", "k"),
        text("error.type", "NameError"),
    ]
    style = Style(
        None,
        data,
        "jupyter_otel.execution",
        "jupyter_otel.execution phase=finished status=error error_name=NameError",
        payload,
    )
    log_record = record(EXECUTION, style, "jupyter-otel", ("ERROR", 17))
    assert re.fullmatch("[0-9a-f]{32}", trace_id)
    assert re.fullmatch("[0-9a-f]{16}", span_id)
    assert shown == {
        "exported": True,
        "log_record": {
            **log_record,
            "traceId": trace_id,
            "spanId": span_id,
            "flags": 1,
        },
        "span": {
            "name": "execute",
            "kind": 1,
            "startTimeUnixNano": str(TIME - 12_000_000),
            "endTimeUnixNano": str(TIME),
            "attributes": log_record["attributes"],
            "status": {"code": 2},
            "flags": 256,
        },
    }
