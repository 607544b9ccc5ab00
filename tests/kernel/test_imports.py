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
