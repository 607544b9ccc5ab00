import pytest
from opentelemetry import context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace import get_current_span

from jupyter_otel_kernel import extension

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SPAN_ID = 0xB7AD6B7169203331
SEEN = "from opentelemetry.trace import get_current_span as current\n"
SEEN += "seen = current().get_span_context().span_id\n"


def spans_seen(run, code, **metadata):
    """Return the span ids that a cell saw, and the next one that names no span."""
    inside = run(code, **metadata)["seen"]
    return inside, run(SEEN)["seen"]


@pytest.mark.parametrize(
    "code",
    [
        SEEN,
        f"import asyncio\nawait asyncio.sleep(0)\n{SEEN}",
        f"%reset -f\n{SEEN}",
        f"get_ipython().run_cell('1')\n{SEEN}",
        f"%load_ext jupyter_otel_kernel\n{SEEN}",
        f"%reload_ext jupyter_otel_kernel\n{SEEN}",
        f"%unload_ext jupyter_otel_kernel\n%load_ext jupyter_otel_kernel\n{SEEN}",
    ],
)
def test_a_cells_code_runs_in_its_execution_and_no_other_does(run, code):
    assert spans_seen(run, code, traceparent=TRACEPARENT) == (SPAN_ID, 0)


def test_unloaded_inside_a_cell_nothing_is_left(run, shell):
    code = f"%unload_ext jupyter_otel_kernel\n{SEEN}"
    assert spans_seen(run, code, traceparent=TRACEPARENT) == (0, 0)


def test_unloaded_the_api_s_own_runtime_context_is_back(run, shell):
    run(SEEN, traceparent=TRACEPARENT)
    within = type(context._RUNTIME_CONTEXT)
    shell.extension_manager.unload_extension("jupyter_otel_kernel")

    assert within is not ContextVarsRuntimeContext
    assert type(context._RUNTIME_CONTEXT) is ContextVarsRuntimeContext


def test_between_two_cells_no_span_is_current(run, shell):
    seen = []

    def between(_result):
        seen.append(get_current_span().get_span_context().span_id)

    shell.events.register("post_run_cell", between)  # after ours
    try:
        inside = run(SEEN, traceparent=TRACEPARENT)["seen"]
    finally:
        shell.events.unregister("post_run_cell", between)

    assert (inside, seen) == (SPAN_ID, [0])


def test_what_user_code_attaches_stays_attached_without_the_cells_span(run):
    attach = """
from opentelemetry import baggage, context
token = context.attach(baggage.set_baggage("mine", 7))
"""
    kept = 'kept = baggage.get_baggage("mine")\n'
    run(attach, traceparent=TRACEPARENT)

    after = dict(run(kept + SEEN))
    detached = dict(run(f"context.detach(token)\n{kept}", traceparent=TRACEPARENT))
    last = run(kept + SEEN)

    assert (after["kept"], after["seen"]) == (7, 0)
    assert detached["kept"] is None
    assert (last["kept"], last["seen"]) == (None, 0)


@pytest.fixture
def inherited(kernel, monkeypatch):
    """Make the kernel one that was started within that span."""
    monkeypatch.setenv("TRACEPARENT", TRACEPARENT)


def test_cells_whose_request_names_no_span_belong_to_the_environments(inherited, run):
    other = TRACEPARENT.replace("b7ad6b7169203331", "00f067aa0ba902b7")
    assert run(SEEN)["seen"] == SPAN_ID
    assert run(SEEN, traceparent=other)["seen"] == 0x00F067AA0BA902B7
    assert run(SEEN, traceparent="broken")["seen"] == SPAN_ID


def test_a_failing_hook_shows_nothing_of_the_cell(run, shell, capsys):
    extension._extension._get_parent = None
    assert run("secret = 7")["secret"] == 7
    extension._extension._get_parent = shell.kernel.get_parent
    assert capsys.readouterr() == ("", "")
    assert extension._extension.faults == 2
