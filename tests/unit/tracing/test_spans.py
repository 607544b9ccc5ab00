"""New spans, beside those that the SDK's own tracer starts."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased

from jupyter_otel.event import SpanContext
from jupyter_otel.tracing.propagation import as_context
from jupyter_otel.tracing.spans import SpanStarter

PARENT = SpanContext(bytes(15) + b"\1", bytes(7) + b"\2", bytes(7) + b"\3")


class Counting(IdGenerator):
    """Gives the ids that it was told to, or 1, 2, 3."""

    def __init__(self, trace_id=0xABC):
        self.trace_id = trace_id
        self.spans = 0

    def generate_trace_id(self):
        """Return the same one again."""
        return self.trace_id

    def generate_span_id(self):
        """Return the next one."""
        self.spans += 1
        return self.spans


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


def test_a_span_without_a_parent_is_the_root_of_a_new_trace():
    span = SpanStarter(id_generator=Counting()).start()

    assert span == SpanContext(bytes(14) + b"\x0a\xbc", bytes(7) + b"\1", b"", True)


def test_a_child_stays_in_its_parents_trace():
    span = SpanStarter(id_generator=Counting()).start(PARENT)

    assert span == SpanContext(PARENT.trace_id, bytes(7) + b"\1", PARENT.span_id, True)


def test_ids_are_random_and_never_repeat():
    starter = SpanStarter()
    spans = [starter.start() for _ in range(1000)]

    assert len({span.trace_id for span in spans}) == 1000
    assert len({span.span_id for span in spans}) == 1000


def test_a_clients_flag_decides_about_the_span():
    starter = SpanStarter()

    assert starter.start(PARENT).sampled
    assert not starter.start(PARENT._replace(sampled=False)).sampled


def test_a_parent_counts_as_remote():
    sampler = ParentBased(ALWAYS_ON, remote_parent_sampled=ALWAYS_OFF)

    assert not SpanStarter(sampler).start(PARENT).sampled


def test_the_sampler_is_told_the_name():
    class OnlyExecutions(type(ALWAYS_ON)):
        def should_sample(self, parent_context, trace_id, name, *rest):
            chosen = ALWAYS_ON if name == "execute" else ALWAYS_OFF
            return chosen.should_sample(parent_context, trace_id, name, *rest)

    starter = SpanStarter(OnlyExecutions(ALWAYS_ON._decision))

    assert starter.start(name="execute").sampled
    assert not starter.start(name="GET").sampled


@pytest.mark.parametrize(
    ("sampler", "argument"),
    [
        (None, None),
        ("always_on", None),
        ("always_off", None),
        ("parentbased_always_on", None),
        ("parentbased_always_off", None),
        ("traceidratio", "0.5"),
        ("TraceIdRatio", "0"),
        ("traceidratio", "half"),
        ("traceidratio", "7"),
        ("traceidratio", None),
        ("parentbased_traceidratio", "0.5"),
        ("coin", None),
    ],
)
@given(
    trace_id=st.integers(1, 2**128 - 1), parent_sampled=st.sampled_from([None, 0, 1])
)
def test_the_environments_sampler_decides_as_in_the_sdk(
    sampler, argument, trace_id, parent_sampled
):
    parent = None
    if parent_sampled is not None:
        parent = SpanContext(
            trace_id.to_bytes(16, "big"), b"12345678", sampled=bool(parent_sampled)
        )
    with pytest.MonkeyPatch.context() as environment:
        if sampler is not None:
            environment.setenv("OTEL_TRACES_SAMPLER", sampler)
        if argument is not None:
            environment.setenv("OTEL_TRACES_SAMPLER_ARG", argument)

        ours = SpanStarter(id_generator=Counting(trace_id)).start(parent)

        assert ours == sdk_span(Counting(trace_id), parent)


def sdk_span(ids, parent):
    """Start a span as the SDK does; return it as ours."""
    provider = TracerProvider(
        resource=Resource.get_empty(), shutdown_on_exit=False, id_generator=ids
    )
    context = as_context(parent) if parent else None
    span = provider.get_tracer("test").start_span("", context).get_span_context()
    return SpanContext(
        span.trace_id.to_bytes(16, "big"),
        span.span_id.to_bytes(8, "big"),
        parent.span_id if parent else b"",
        span.trace_flags.sampled,
    )


def test_a_span_limit_that_is_no_number_is_ignored_with_a_warning():
    program = (
        "import os\n"
        "from jupyter_otel.tracing.spans import SpanStarter\n"
        "print(SpanStarter().start().sampled)\n"
        "print(os.environ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT'])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "True\nmany\n"
    assert done.stderr == (
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT must be a whole number from 0: ignored.\n"
    )


def test_importing_the_module_does_not_import_the_sdk():
    program = (
        "import sys, jupyter_otel.tracing.spans\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
