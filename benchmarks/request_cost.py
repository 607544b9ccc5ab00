"""CPU that one HTTP request costs a server, beside the plain server.

    python benchmarks/request_cost.py [ROUNDS]

Real servers, each in a process of its own, asked in turn over connections that stay
open; what is counted is CPU of the server's process, with all that it does about the
request until the receiver has it. The rounds are interleaved and the least of each is
taken: the ratios of one run are worth something, nothing else is.
"""

import http.client
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import psutil
from host import COLLECTS, PLAIN, Case, Server, running_receiver

PATHS = ("api/status", "api/config/x", "api/contents?content=0")
REQUESTS = 500
SETTLE_S = 0.5
"""Longer than records wait before they are written and sent."""

CASES = (
    Case(PLAIN, (), ""),
    Case("without requests", (*COLLECTS, "--OtelSources.http_requests=False"), "up"),
    Case("default", COLLECTS, "up"),
    Case("and polling", (*COLLECTS, "--OtelSources.http_polling=True"), "up"),
)


class Asked:
    """A server and the connection over which it is asked."""

    def __init__(self, server: Server) -> None:
        self._process = psutil.Process(server.pid)
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def cost_us(self, path: str) -> float:
        """Ask many times; return CPU for one answer, in microseconds."""
        began_s = self._cpu_s()
        for _ in range(REQUESTS):
            self._connection.request("GET", f"/{path}")
            self._connection.getresponse().read()
        time.sleep(SETTLE_S)
        return (self._cpu_s() - began_s) / REQUESTS * 1e6

    def _cpu_s(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system


def main(rounds: int = 5) -> None:
    """Ask every server for every path in turn, so many times; print the least."""
    figures: dict[tuple[str, str], list[float]] = defaultdict(list)
    with ExitStack() as ends:
        asked = {case.name: Asked(_start(case, ends)) for case in CASES}
        for _ in range(rounds):
            for path in PATHS:
                for name, server in asked.items():
                    figures[name, path].append(server.cost_us(path))
    print(f"| least of {rounds}, us |", " | ".join(PATHS), "|")
    print("|---|" + "---|" * len(PATHS))
    for name in asked:
        cells = []
        for path in PATHS:
            cost, plain = min(figures[name, path]), min(figures[PLAIN, path])
            cells.append(f"{cost:.0f} ({cost / plain:.2f}x)")
        print(f"| {name} |", " | ".join(cells), "|")


def _start(case: Case, ends: ExitStack) -> Server:
    endpoint = ends.enter_context(running_receiver(case.receiver))
    home = Path(ends.enter_context(tempfile.TemporaryDirectory()))
    server = Server(case, endpoint, home)
    ends.callback(server.kill)
    return server


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
