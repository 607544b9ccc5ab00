"""CPU that a server's event loop spends on one HTTP request, with us and without.

    python benchmarks/request_cost.py [--OtelSources.http_polling=True …]

One real server, in this process, is asked over one connection; from one batch of
requests to the next its log function is the server's own or the one that we put around
it. What is counted is CPU of the loop's thread alone, the least of many batches: the
ratios of one run are worth something, nothing else is. Records are written and sent by
other threads.
"""

import asyncio
import atexit
import http.client
import os
import shutil
import socket
import sys
import tempfile
import time
from itertools import product
from typing import Any

from host import OTHERS

PATHS = ("/api/status", "/api/kernels", "/api/config/x", "/api/contents?content=0")
"""The first two are polling, and left out unless a setting says otherwise."""
BATCHES, REQUESTS = 15, 100
SETTLE_S = 2.0


def _options(home: str, port: int) -> list[str]:
    extensions = dict.fromkeys(OTHERS, False) | {"jupyter_otel": True}
    return [
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={home}",
        f"--ServerApp.jpserver_extensions={extensions}",
        "--ServerApp.allow_root=True",
        "--ServerApp.open_browser=False",
        "--ServerApp.log_level=ERROR",
        "--IdentityProvider.token=",
        "--OtelPolicy.level=audit",
        "--OtelConsent.mode=mandatory",
        "--OtelSources.jupyter_events=False",
    ]


class Client:
    """Asks over one connection that stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask(self, path: str) -> None:
        """Ask for a path, many times."""
        for _ in range(REQUESTS):
            self._connection.request("GET", path)
            self._connection.getresponse().read()


async def _measure(settings: dict[str, Any], client: Client) -> None:
    """Print the loop's CPU for one request to each path, in microseconds."""
    await asyncio.sleep(SETTLE_S)
    ours = settings["log_function"]
    functions = {"plain": ours.__wrapped__, "ours": ours}
    print("| path | plain us | ours us | ratio |\n|---|---|---|---|")
    for path in PATHS:
        costs: dict[str, list[float]] = {name: [] for name in functions}
        for _, (name, function) in product(range(BATCHES), functions.items()):
            settings["log_function"] = function
            costs[name].append(await _cost_us(client, path))
        plain, with_us = min(costs["plain"]), min(costs["ours"])
        print(f"| {path} | {plain:.0f} | {with_us:.0f} | {with_us / plain:.2f} |")


async def _cost_us(client: Client, path: str) -> float:
    loop, began_s = asyncio.get_running_loop(), time.thread_time()
    await loop.run_in_executor(None, client.ask, path)
    return (time.thread_time() - began_s) / REQUESTS * 1e6


def main(*settings: str) -> None:
    """Start a server with further settings, measure, end it."""
    home = tempfile.mkdtemp()
    # Registered first, so done last: at exit records are still written there.
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        os.environ[f"JUPYTER_{name}"] = home
    # Reads the variables as it is imported.
    from jupyter_server.serverapp import ServerApp  # noqa: PLC0415

    app, port = ServerApp(), _free_port()
    app.initialize(argv=[*_options(home, port), *settings])

    async def measure() -> None:
        await _measure(app.web_app.settings, Client(port))
        app.stop()

    app.io_loop.add_callback(measure)
    app.start()


def _free_port() -> int:
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        port: int = unbound.getsockname()[1]
        return port


if __name__ == "__main__":
    main(*sys.argv[1:])
