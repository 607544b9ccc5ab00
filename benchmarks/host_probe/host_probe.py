"""A server extension that emits events on the bus and times the loop meanwhile."""

import asyncio
import json
import time
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from tornado import web

SCHEMA_ID = "https://events.jupyter.org/jupyter_server/contents_service/v1"
TIMER_S = 0.005


class ProbeHandler(JupyterHandler):
    """Emits at a steady rate; answers with how late the loop's timers came."""

    @web.authenticated
    async def get(self) -> None:
        """Run for so many seconds."""
        rate = float(self.get_argument("rate"))
        end_s = time.perf_counter() + float(self.get_argument("seconds"))
        emitting = asyncio.create_task(self._emit(rate, end_s))
        late_ms = []
        while (began_s := time.perf_counter()) < end_s:
            await asyncio.sleep(TIMER_S)
            late_ms.append((time.perf_counter() - began_s - TIMER_S) * 1e3)
        await emitting
        late_ms.sort()
        self.finish(json.dumps({"p99_ms": late_ms[len(late_ms) * 99 // 100]}))

    async def _emit(self, rate: float, end_s: float) -> None:
        began_s, emitted = time.perf_counter(), 0
        while (now_s := time.perf_counter()) < end_s:
            while emitted < (now_s - began_s) * rate:
                data = {"action": "get", "path": f"a/{emitted}.ipynb"}
                self.event_logger.emit(schema_id=SCHEMA_ID, data=data)
                emitted += 1
            await asyncio.sleep(0.001)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "host_probe"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    route = serverapp.base_url + "host_probe"
    serverapp.web_app.add_handlers(".*", [(route, ProbeHandler)])
