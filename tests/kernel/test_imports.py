"""What user code sees of the hook that waits for OpenTelemetry: nothing."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, traceback
from ipykernel.inprocess.ipkernel import InProcessKernel
from traitlets.config import Config

kernel = InProcessKernel(config=Config({{"HistoryManager": {{"enabled": False}}}}))
shell, before = kernel.shell, list(sys.meta_path)
if {loaded}:
    shell.extension_manager.load_extension("jupyter_otel_kernel")
    kernel.set_parent([], kernel.session.msg("execute_request", {{}}))
    assert sys.meta_path != before
{code}
    print(traceback.format_exc())
if {loaded}:
    shell.extension_manager.unload_extension("jupyter_otel_kernel")
print(sys.meta_path == before)
"""
ABSENT = """
sys.modules["opentelemetry"] = None
try:
    from opentelemetry import trace
except ImportError:"""
BROKEN = """
try:
    from opentelemetry import trace
except ZeroDivisionError:"""
PART_MISSING = """
try:
    import opentelemetry.trace.no_such_module
except ImportError:"""


@pytest.mark.parametrize(
    ("code", "module"),
    [(ABSENT, ""), (BROKEN, "1 / 0"), (PART_MISSING, ""), (BROKEN, "import broken")],
)
def test_an_import_that_fails_says_the_same_as_without_us(tmp_path, code, module):
    if module:
        (tmp_path / "opentelemetry").mkdir()
        (tmp_path / "opentelemetry" / "trace.py").write_text(f"{module}\n")
        (tmp_path / "broken.py").write_text("1 / 0\n")

    def said(*, loaded):
        script = SCRIPT.format(loaded=loaded, code=code.strip())
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join([str(tmp_path), *sys.path])},
        )
        return done.stdout, done.stderr

    assert said(loaded=True) == said(loaded=False)


WHILE_A_THREAD_IMPORTS = """
import sys, threading
from ipykernel.inprocess.ipkernel import InProcessKernel
from traitlets.config import Config

class Gate:
    reached, opened = threading.Event(), threading.Event()

    def find_spec(self, name, path, target=None):
        if name == "opentelemetry.attributes":  # which opentelemetry.trace imports
            self.reached.set()
            self.opened.wait()

kernel = InProcessKernel(config=Config({"HistoryManager": {"enabled": False}}))
sys.meta_path.insert(0, Gate())
importing = threading.Thread(target=__import__, args=("opentelemetry.trace",))
importing.start()
Gate.reached.wait()
threading.Timer(0.2, Gate.opened.set).start()
kernel.shell.extension_manager.load_extension("jupyter_otel_kernel")
importing.join()
traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
metadata = {"traceparent": traceparent}
kernel.set_parent([], kernel.session.msg("execute_request", {}, metadata=metadata))
kernel.shell.run_cell("from opentelemetry.trace import get_current_span as current")
kernel.shell.run_cell("seen = current().get_span_context().span_id")
print(f"{kernel.shell.user_ns['seen']:x}")
"""


def test_loaded_while_a_thread_imports_it_cells_have_their_span():
    done = subprocess.run(
        [sys.executable, "-c", WHILE_A_THREAD_IMPORTS],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "b7ad6b7169203331\n"
