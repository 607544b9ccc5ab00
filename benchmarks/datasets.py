"""What code in a kernel feels of the dataset hooks, beside a kernel without us.

    python benchmarks/datasets.py [ROUNDS]

Two real kernels, one in which nothing of ours is loaded, one that is asked for datasets
with each cell. CPU time of the whole process is measured, with the threads that send.
The rounds are interleaved and the least of each kernel counts, so that the ratios of
one run are worth something: nothing else is.

``… 10 000 files``  each opened and read once: 999 are reported, the rest counted
``no data``         code that opens nothing: copies, calls, logging, a small data frame
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from jupyter_client.manager import start_new_kernel

FILES = 10_000
_TIMED = """
import gc, time
gc.collect()
start = time.process_time()
{code}
print(time.process_time() - start)
"""
_SETUP = """
import copy, json, logging
import numpy as np
import pandas as pd
log = logging.getLogger("nobody listens")
nested = [{{"a": [i, str(i)], "b": (i, i)}} for i in range(2000)]
frame = pd.DataFrame({{"a": range(1000), "b": range(1000)}})
arrays = [f"{folder}/{{i}}.npy" for i in range({files})]
tables = [f"{folder}/{{i}}.csv" for i in range({files})]

def nothing(x):
    return x

def no_data():
    copy.deepcopy(nested)
    for number in range(50_000):
        nothing(id(number))
    for number in range(5_000):
        log.debug("%s", number)
    for _ in range(200):
        frame.groupby("a")["b"].sum()
    json.loads(json.dumps(nested))
"""


class Case(NamedTuple):
    """Code that is timed."""

    name: str
    code: str


CASES = (
    Case("pandas.read_csv, 10 000 files", "for file in tables: pd.read_csv(file)"),
    Case("numpy.load, 10 000 files", "for file in arrays: np.load(file)"),
    Case(
        "open and read, 10 000 files",
        "for file in tables:\n    with open(file) as opened: opened.read()",
    ),
    Case("no data", "for _ in range(3): no_data()"),
)


class Kernel:
    """A running kernel and its client."""

    def __init__(self, client: object, metadata: dict[str, object]) -> None:
        self._client, self._metadata = client, metadata

    def run(self, code: str) -> str:
        """Run code as one cell; return what it printed."""
        client = self._client
        content = {"code": code, "silent": False, "store_history": False}
        content |= {"user_expressions": {}, "allow_stdin": False}
        message = client.session.msg("execute_request", content)
        message["metadata"] = dict(self._metadata)
        client.shell_channel.send(message)
        text = ""
        while True:
            told = client.get_iopub_msg(timeout=120)
            if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if told["msg_type"] == "error":
                raise RuntimeError("\n".join(told["content"]["traceback"]))
            text += told["content"].get("text", "")
            if told["content"].get("execution_state") == "idle":
                return text


@contextmanager
def running(mode: str, metadata: dict[str, object]) -> Iterator[Kernel]:
    """Start a kernel in a mode of our part of it; end it."""
    environment = {**os.environ, "JUPYTER_OTEL_KERNEL": mode}
    environment["OMP_NUM_THREADS"] = "1"
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    try:
        yield Kernel(client, metadata)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def make_files(folder: Path) -> None:
    """Write as many small tables and arrays."""
    import numpy as np  # noqa: PLC0415 - only this process needs no pandas

    for number in range(FILES):
        (folder / f"{number}.csv").write_text("a,b\n1,2\n3,4\n")
    np.save(folder / "0.npy", np.arange(3))
    for number in range(1, FILES):
        (folder / f"{number}.npy").write_bytes((folder / "0.npy").read_bytes())


def measure(rounds: int) -> None:
    """Print each case's least CPU time in both kernels and their ratio."""
    asks = {"jupyter_otel": {"listens": True, "datasets": True}}
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        make_files(folder)
        kernels = {
            "plain": ends.enter_context(running("off", {})),
            "datasets": ends.enter_context(running("context", asks)),
        }
        for kernel in kernels.values():
            kernel.run(_SETUP.format(folder=folder, files=FILES))
        _check(kernels)
        print(f"{'':32} {'plain':>9} {'datasets':>9} {'ratio':>7}")
        for case in CASES:
            best = _best(kernels, case, rounds)
            ratio = best["datasets"] / best["plain"]
            times = " ".join(f"{best[name] * 1e3:7.0f}ms" for name in kernels)
            print(f"{case.name:32} {times} {ratio:7.3f}")


def _check(kernels: dict[str, Kernel]) -> None:
    """Make sure that one kernel has the hooks, and the other has not."""
    hooked = {
        name: kernel.run("print(hasattr(pd.read_csv, '__wrapped__'))").strip()
        for name, kernel in kernels.items()
    }
    if hooked != {"plain": "False", "datasets": "True"}:
        raise RuntimeError(f"not the kernels that are to be compared: {hooked}")


def _best(kernels: dict[str, Kernel], case: Case, rounds: int) -> dict[str, float]:
    timed = _TIMED.format(code=case.code)
    best = dict.fromkeys(kernels, float("inf"))
    for _ in range(rounds):
        for name, kernel in kernels.items():
            best[name] = min(best[name], float(kernel.run(timed)))
    return best


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
