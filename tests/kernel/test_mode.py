import subprocess
import sys

import pytest
from opentelemetry import trace

from jupyter_otel_kernel.mode import SpansMode, mode_of

HERE = "http://127.0.0.1:9"
NO_RECEIVER = "OTEL_EXPORTER_OTLP_ENDPOINT names no OTLP/HTTP receiver in this kernel"


def run_python(code):
    """Return what code prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ("environment", "lack"),
    [
        ({}, ""),
        ({"JUPYTER_OTEL_KERNEL": "context"}, ""),
        ({"JUPYTER_OTEL_KERNEL": "anything"}, ""),
        ({"JUPYTER_OTEL_KERNEL": "spans"}, NO_RECEIVER),
        (
            {"JUPYTER_OTEL_KERNEL": "spans", "OTEL_EXPORTER_OTLP_ENDPOINT": "grpc://x"},
            NO_RECEIVER,
        ),
    ],
)
def test_what_cannot_be_had_is_context_and_says_why(environment, lack):
    mode = mode_of(environment)
    assert (mode.name, mode.lack) == ("context", lack)


def test_without_the_sdk_it_is_context_and_says_what_to_install():
    done = run_python(
        "import sys; sys.modules['opentelemetry.sdk'] = None\n"
        "from jupyter_otel_kernel.mode import mode_of\n"
        "print(mode_of({'JUPYTER_OTEL_KERNEL': 'spans'}).lack)"
    )
    assert done.startswith("the module opentelemetry.sdk")
    assert done.endswith(
        " is missing: pip install 'jupyter-otel-kernel[spans]' in this kernel's"
        " environment\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", HERE),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{HERE}/anywhere"),
    ],
)
def test_with_a_receiver_it_is_spans_until_it_is_closed(name, value):
    before = trace.get_tracer_provider()
    mode = mode_of({"JUPYTER_OTEL_KERNEL": " Spans ", name: value})
    assert isinstance(mode, SpansMode)
    assert trace.get_tracer("a").start_span("b").is_recording()
    mode.close()
    assert trace.get_tracer_provider() is before


def test_loading_imports_nothing_that_is_not_needed():
    """In particular neither jsonschema, which takes a second, nor OpenTelemetry."""
    done = run_python(
        "import sys\n"
        "from ipykernel.inprocess.ipkernel import InProcessKernel\n"
        "from traitlets.config import Config\n"
        "quiet = Config({'HistoryManager': {'enabled': False}})\n"
        "manager = InProcessKernel(config=quiet).shell.extension_manager\n"
        "before = set(sys.modules)\n"
        "manager.load_extension('jupyter_otel_kernel')\n"
        "new = set(sys.modules) - before\n"
        "print(sorted({'.'.join(name.split('.')[:2]) for name in new}))"
    )
    ours = ("cells", "extension", "forks", "imports", "magic", "mode", "trace_parent")
    expected = ["jupyter_otel_kernel", *(f"jupyter_otel_kernel.{it}" for it in ours)]
    assert done == f"{expected}\n"
