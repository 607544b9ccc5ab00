"""What a Python kernel feels of us: memory, loading, each cell; beside none of it.

    python benchmarks/kernel.py [ROUNDS]

Every kernel is a real one in a process of its own; those with ours and those without
are started in turn, and the least of each figure is taken: only ratios and differences
of one run are worth something.

``USS MiB``      what the process alone has in memory, after its first cell
``load ms``      CPU of importing and loading ours into a kernel that has started
``hooks us``     CPU of IPython's two events around a cell, ours among their listeners
``cell ms``      CPU of the whole kernel process for a trivial cell
``import ms``    CPU of the first `from opentelemetry import trace`, and of asking that
                 for the current span: what loading leaves to whoever needs it
``later us``     as ``hooks us``, once that is imported
``both ms``      loading ours and the import, beside the import alone
"""

import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.manager import KernelManager

CELLS = 300
TRACE = "0af7651916cd43dd8448eb211c80319c"
LIMITS = {"USS MiB": 1.0, "load ms": 5.0, "hooks us": 3.0, "later us": 3.0}
LOAD = """
import time
began = time.process_time()
get_ipython().extension_manager.load_extension("jupyter_otel_kernel")
print((time.process_time() - began) * 1e3)
"""
IMPORT = """
import sys, time
assert "opentelemetry" not in sys.modules
began = time.process_time()
from opentelemetry import trace
trace.get_current_span().get_span_context()
print((time.process_time() - began) * 1e3)
"""
HOOKS = """
import time
from IPython.core.interactiveshell import ExecutionResult

def hooks(count=20_000):
    shell = get_ipython()
    request = shell.kernel.get_parent()
    own, trigger = request["msg_id"], shell.events.trigger
    result = ExecutionResult(None)
    began = time.process_time()
    for number in range(count):
        request["msg_id"] = f"cell-{number}"
        trigger("pre_run_cell", None)
        trigger("post_run_cell", result)
    took = time.process_time() - began
    request["msg_id"] = own
    return took / count * 1e6

print(min(hooks() for _ in range(5)))
"""


class Kernel:
    """A running kernel and a client of it."""

    def __init__(self, manager: KernelManager) -> None:
        self._client: Any = manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        pid = manager.provisioner.pid  # type: ignore[union-attr]  # it has started
        self._process = psutil.Process(pid)

    def run(self, code: str) -> str:
        """Run a cell as a server with ours would ask for it; return what it printed."""
        session = self._client.session
        traceparent = f"00-{TRACE}-{os.urandom(8).hex()}-01"
        content = {"code": code, "silent": False, "allow_stdin": False}
        request = session.msg(
            "execute_request", content, metadata={"traceparent": traceparent}
        )
        self._client.shell_channel.send(request)
        printed = ""
        while True:
            said = self._client.get_iopub_msg(timeout=60)
            if said["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            printed += said["content"].get("text", "")
            if said["content"].get("execution_state") == "idle":
                return printed

    def uss_mib(self) -> float:
        """Return what it has in memory that no other process shares."""
        return float(self._process.memory_full_info().uss) / 2**20

    def cell_ms(self) -> float:
        """Return the CPU that a trivial cell takes it."""
        before = self._process.cpu_times()
        for _ in range(CELLS):
            self.run("1")
        after = self._process.cpu_times()
        took_s = after.user + after.system - before.user - before.system
        return took_s / CELLS * 1e3

    def close(self) -> None:
        """Stop listening."""
        self._client.stop_channels()


@contextmanager
def _kernel(mode: str) -> Iterator[Kernel]:
    """Give a kernel in that mode, with a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        manager = KernelManager(kernel_name="python3")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "IPYTHONDIR": str(Path(home) / "ipython"),
            "JUPYTER_OTEL_KERNEL": mode,
        }
        manager.start_kernel(env=environment, stderr=-3)  # its own warnings
        try:
            kernel = Kernel(manager)
            yield kernel
            kernel.close()
        finally:
            manager.shutdown_kernel(now=True)


def _measure(mode: str, figures: dict[str, list[float]]) -> None:
    with _kernel(mode) as kernel:
        kernel.run("1")
        figures["USS MiB"].append(kernel.uss_mib())
        figures["cell ms"].append(kernel.cell_ms())
        figures["hooks us"].append(float(kernel.run(HOOKS)))
        figures["import ms"].append(float(kernel.run(IMPORT)))
        figures["later us"].append(float(kernel.run(HOOKS)))


def _measure_loading(figures: dict[str, list[float]]) -> None:
    with _kernel("off") as kernel:
        kernel.run("1")
        load_ms, import_ms = float(kernel.run(LOAD)), float(kernel.run(IMPORT))
    figures["load ms"].append(load_ms)
    figures["both ms"].append(load_ms + import_ms)


def main(rounds: int = 5) -> None:
    """Measure kernels without and with ours in turn; print the least of each."""
    without: dict[str, list[float]] = defaultdict(list)
    ours: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        _measure("off", without)
        _measure("context", ours)
        _measure_loading(ours)
    without["load ms"] = [0.0]
    without["both ms"] = without["import ms"]
    print(f"| least of {rounds} | without | with | difference | at most |")
    print("|---|---|---|---|---|")
    for name, figures in ours.items():
        before, after = min(without[name]), min(figures)
        cells = f"{before:.2f} | {after:.2f} | {after - before:+.2f}"
        print(f"| {name} | {cells} | {LIMITS.get(name, '')} |")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
