"""The cell that is the first in its kernel to import OpenTelemetry, wherever it does.

Each case has a new kernel, in which nothing has imported it yet.
"""

import pytest

from tests.integration.bare_kernel import running_kernel

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SETUP = """
import asyncio, contextvars, os, signal, sys, threading

def current():
    from opentelemetry import trace
    return trace.get_current_span().get_span_context().span_id

def see():
    seen.append(current())

seen = [name for name in sys.modules if name.startswith("opentelemetry")]
"""
THREAD = """
thread = threading.Thread(target={}, args=(see,))
thread.start()
thread.join()
see()"""
FORK = """
ours, its = os.pipe()
child = os.fork()
if child == 0:
    os.write(its, b"%d" % current())
    os._exit(0)
status = os.waitpid(child, 0)
seen.append(int(os.read(ours, 9)))
"""
GATHER = """
async def child():
    await asyncio.sleep(0)
    see()
done = await asyncio.gather(child(), child())
see()"""
TASK = """
async def later():
    await released.wait()
    see()
released = asyncio.Event()
task = asyncio.create_task(later())"""
INTERRUPTED = """
see()
loop = asyncio.get_running_loop()
timer = loop.call_later(0.1, signal.raise_signal, signal.SIGINT)
for _ in range(3000):
    await asyncio.sleep(0.02)"""
BAGGAGE = """
from opentelemetry import baggage, context
token = context.attach(baggage.set_baggage("mine", 7))
see()"""
API_ANEW = """
import importlib
from opentelemetry import context
see()
done = importlib.reload(context)"""
# Cells, in the spans 1, 2, 3 and so on; the spans that were current where they looked.
CASES = {
    "in the cell": (["see()"], [1]),
    "awaited": (["await asyncio.sleep(0)\nsee()"], [1]),
    "in a cell within it": (["done = get_ipython().run_cell('see()')\nsee()"], [1, 1]),
    "in to_thread": (["await asyncio.to_thread(see)\nsee()"], [1, 1]),
    "in a thread": ([THREAD.format("contextvars.Context().run")], [0, 1]),
    "in its context": ([THREAD.format("contextvars.copy_context().run")], [1, 1]),
    "in a child task": ([GATHER], [1, 1, 1]),
    "after a task began": ([TASK, "see()", "released.set()\nawait task"], [2, 1]),
    "in an older task": ([TASK, "released.set()\nawait task\nsee()"], [1, 2]),
    "in a fork": ([FORK, "see()"], [1, 2]),
    "after a reset": ([f"%reset -f\n{SETUP}see()", "see()"], [1, 2]),
    "with baggage": ([BAGGAGE, "see()", "context.detach(token)\nsee()"], [1, 2, 3]),
    "before it is made anew": ([API_ANEW, "see()"], [1, 2]),
    "before an interrupt": ([INTERRUPTED, "see()"], [1, 2]),
    "in a cell that fails": (["see()\n1 / 0", "see()"], [1, 2]),
    "after unloading": (["%unload_ext jupyter_otel_kernel\nsee()", "see()"], [0, 0]),
    "before unloading": (["see()\n%unload_ext jupyter_otel_kernel\nsee()"], [1, 0]),
    "after reloading": (["%reload_ext jupyter_otel_kernel\nsee()", "see()"], [1, 2]),
    "before reloading": (["see()\n%reload_ext jupyter_otel_kernel\nsee()"], [1, 1]),
}


def in_span(span_id):
    return {"traceparent": f"00-{TRACE_ID}-{span_id:016x}-01"}


@pytest.fixture
def kernel(tmp_path):
    """A kernel with ours and without OpenTelemetry."""
    with running_kernel(tmp_path) as kernel:
        kernel.run(SETUP, {})
        yield kernel


def shown(kernel, code):
    """Run a cell in no span; return what it printed."""
    _, said = kernel.run(code, {})
    return "".join(message["content"].get("text", "") for message in said)


@pytest.mark.parametrize(("cells", "seen"), CASES.values(), ids=CASES)
def test_whoever_imports_it_first_each_code_is_in_the_span_of_its_cell(
    kernel, cells, seen
):
    for span_id, code in enumerate(cells, 1):
        kernel.run(code, in_span(span_id))

    assert shown(kernel, "see()\nprint(seen)") == f"{[*seen, 0]}\n"


def test_a_subshell_may_be_first_beside_a_running_cell(kernel):
    subshell_id = kernel.open_subshell()
    waits = "done = threading.Event()\nprint('waits', flush=True)\ndone.wait(30)\nsee()"
    main = kernel.send(waits, in_span(1))
    kernel.wait_for(main, "stream")

    kernel.run("see()\ndone.set()", in_span(2), subshell_id=subshell_id)

    assert shown(kernel, "see()\nprint(seen)") == "[2, 1, 0]\n"


def test_the_environments_span_is_current_where_the_request_names_none(tmp_path):
    inherited = in_span(7)["traceparent"]
    with running_kernel(tmp_path, TRACEPARENT=inherited) as kernel:
        kernel.run(f"{SETUP}see()", {})
        kernel.run("see()", in_span(1))
        assert shown(kernel, "print(seen)") == "[7, 1]\n"


HOOKS = "print([it for it in sys.meta_path if 'jupyter_otel' in type(it).__module__])"


@pytest.mark.parametrize("code", ["see()", "%unload_ext jupyter_otel_kernel"])
def test_what_waits_for_the_import_is_gone_once_it_came_or_we_are_out(kernel, code):
    assert "ImportHook" in shown(kernel, HOOKS)
    kernel.run(code, in_span(1))
    assert shown(kernel, HOOKS) == "[]\n"


def test_where_it_is_not_installed_nothing_is_said_and_the_magic_tells_the_trace(
    kernel,
):
    kernel.run("sys.modules['opentelemetry'] = None", in_span(1))
    _, said = kernel.run("try: see()\nexcept ImportError: pass\n%otel", in_span(2))

    [printed] = [it["content"] for it in said if it["msg_type"] == "stream"]
    trace, mode, *others = printed["text"].splitlines()
    assert trace == f"trace     {TRACE_ID}"
    assert mode.startswith("mode      context: ")
    assert others == ["events    nobody listens", "datasets  not recorded"]


OWN_CONTEXT = """
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

class OwnContext(ContextVarsRuntimeContext):
    pass
"""


def test_where_another_runtime_context_is_configured_it_is_left_in_its_place(tmp_path):
    (tmp_path / "own.py").write_text(OWN_CONTEXT)
    metadata = tmp_path / "own-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1\n")
    entry_point = "[opentelemetry_context]\nown = own:OwnContext\n"
    (metadata / "entry_points.txt").write_text(entry_point)
    environ = {"PYTHONPATH": str(tmp_path), "OTEL_PYTHON_CONTEXT": "own"}
    with running_kernel(tmp_path, **environ) as kernel:
        kernel.run(SETUP, {})
        kernel.run("await asyncio.sleep(0)\nsee()", in_span(1))
        kernel.run("see()", in_span(2))
        kernel.run(f"%reload_ext jupyter_otel_kernel{BAGGAGE}", in_span(3))
        kind = shown(kernel, "print(type(context._RUNTIME_CONTEXT).__name__)")
        kernel.run("see()\n%unload_ext jupyter_otel_kernel\nsee()", in_span(4))

        assert kind == "OwnContext\n"
        assert shown(kernel, "see()\nprint(seen)") == "[1, 2, 3, 4, 0, 0]\n"
