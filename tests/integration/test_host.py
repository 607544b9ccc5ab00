"""The process around us: it starts, runs and ends as if we were not there."""

import json
import signal
import subprocess
import sys
import textwrap

import pytest
from traitlets.config import Config

from jupyter_otel.tally import Signal
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.testing.http_receiver import HttpReceiver
from tests.integration.conftest import COLLECTING, PROBE

RUN = "https://example.org/tools/run/v1"
SCHEMA = {
    "$id": RUN,
    "version": "1",
    "title": "Run",
    "type": "object",
    "properties": {"tool": {"type": "string"}},
}
OVERLAY = """
schemas:
  "https://example.org/tools/run/v1":
    level: usage
    properties: {tool: operational}
"""
BEFORE = """
import json, sys
from traitlets.config import Config
from jupyter_otel import Telemetry

SCHEMA = json.loads(sys.argv[2])
RUN = SCHEMA["$id"]

def open_telemetry():
    telemetry = Telemetry(Config(json.loads(sys.argv[1])))
    telemetry.register_schema(SCHEMA)
    return telemetry

def emit(tool):
    return telemetry.emit(schema_id=RUN, data={"tool": tool})

telemetry = open_telemetry()
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "overlay.yaml").write_text(OVERLAY)
    made = Config()
    made.OtelPolicy.level = "usage"
    made.OtelPolicy.files = [str(tmp_path / "overlay.yaml")]
    made.OtelRedaction.hash_key_file = str(tmp_path / "hash_key")
    made.OtelSpool.directory = str(tmp_path / "spool")
    return made


@pytest.fixture
def receiver(config):
    with HttpReceiver() as started:
        config.OtelExport.endpoint = started.url
        yield started


def run(config, code):
    """Run code in a process of its own; return how it ended and what it wrote."""
    return subprocess.run(
        [
            sys.executable,
            "-c",
            BEFORE + textwrap.dedent(code),
            json.dumps(config),
            json.dumps(SCHEMA),
        ],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
        check=False,
    )


def tools(receiver):
    """Return what arrived, in any order."""
    found = []
    for record in receiver.inbox.records(Signal.LOGS):
        attributes = {a.key: a.value.string_value for a in record.attributes}
        found.append(attributes["jupyter.event.tool"])
    return sorted(found)


def ended(done, code=0, printed=""):
    assert (done.returncode, done.stdout.strip(), done.stderr) == (code, printed, "")


def test_an_event_of_an_object_that_dies_with_the_interpreter_harms_nothing(
    config, receiver
):
    done = run(
        config,
        """
        class Dying:
            def __del__(self):
                emit("late")
        dying = Dying()
        dying.itself = dying
        sys.modules["kept"] = Dying()
        emit("early")
        """,
    )

    ended(done)
    assert tools(receiver) in (["early"], ["early", "late"], ["early", "late", "late"])


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_what_a_process_that_ends_abruptly_had_on_disk_is_sent_by_the_next(
    config, free_port, end, code
):
    config.OtelExport.endpoint = f"http://127.0.0.1:{free_port}"
    config.OtelSpool.durability = "sync"
    done = run(config, f"import os, signal; print(emit('x'), flush=True); {end}")

    assert (done.returncode, done.stdout.strip()) == (code, "True")
    with HttpReceiver(port=free_port) as receiver, Telemetry(config) as next_one:
        assert next_one.flush()
        assert tools(receiver) == ["x"]


def test_an_interrupted_program_ends_as_ever(config, receiver):
    done = run(
        config,
        """
        import os, signal, threading
        emit("x")
        try:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(30)
        except KeyboardInterrupt:
            print("interrupted")
        """,
    )

    ended(done, printed="interrupted")
    assert tools(receiver) == ["x"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_made_by_a_program_run_and_its_records_go_on(
    config, receiver, method, tmp_path
):
    (tmp_path / "work.py").write_text("def double(n):\n    return 2 * n\n")
    done = run(
        config,
        f"""
        import multiprocessing, warnings
        warnings.simplefilter("ignore")
        sys.path.insert(0, {str(tmp_path)!r})
        from work import double
        emit("before")
        with multiprocessing.get_context({method!r}).Pool(2) as pool:
            print(pool.map(double, [1, 2, 3]))
        emit("after")
        """,
    )

    ended(done, printed="[2, 4, 6]")
    assert tools(receiver) == ["after", "before"]


def test_programs_started_with_work_before_exec_start(config, receiver):
    done = run(
        config,
        """
        import os, subprocess
        emit("before")
        done = subprocess.run(
            [sys.executable, "-c", "print('child')"],
            preexec_fn=lambda: emit("in the child, before exec") or os.setsid(),
            capture_output=True, text=True,
        )
        print(done.stdout.strip())
        emit("after")
        """,
    )

    ended(done, printed="child")
    assert tools(receiver) == ["after", "before"]


@pytest.mark.parametrize(
    "setting",
    [
        "logging.disable(logging.CRITICAL)",
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': True})",
        "logging.shutdown()",
    ],
)
def test_whatever_is_done_to_logging_events_are_taken(config, receiver, setting):
    done = run(
        config,
        f"""
        import logging, logging.config
        {setting}
        print(emit("x"), telemetry.emit(schema_id="urn:unknown", data={{}}))
        """,
    )

    ended(done, printed="True False")
    assert tools(receiver) == ["x"]


def test_one_event_loop_after_another_is_served(config, receiver):
    done = run(
        config,
        """
        import asyncio
        async def main(tool):
            return emit(tool)
        print(asyncio.run(main("first")), asyncio.run(main("second")))
        """,
    )

    ended(done, printed="True True")
    assert tools(receiver) == ["first", "second"]


def test_what_others_set_in_a_process_is_left_alone(config, receiver):
    done = run(
        config,
        """
        telemetry.close()
        import asyncio, logging, signal, threading, warnings
        import requests  # has warnings filters of its own
        from jupyter_events import EventLogger
        def state():
            return (
                [signal.getsignal(number) for number in signal.valid_signals()],
                sys.excepthook, threading.excepthook, sys.unraisablehook,
                sys.getswitchinterval(), sys.gettrace(), sys.getprofile(),
                list(logging.root.handlers), logging.root.level,
                asyncio.get_event_loop_policy(), list(warnings.filters),
                list(bus.handlers), list(bus._modifiers), list(bus._modified_listeners),
            )
        bus = EventLogger()
        bus.register_event_schema(SCHEMA)
        seen = []
        others = logging.Handler()
        others.emit = lambda record: seen.append(record.msg["tool"])
        bus.register_handler(others)
        async def listener(logger, schema_id, data):
            seen.append(data["tool"])
        bus.add_listener(schema_id=RUN, listener=listener)
        asyncio.get_event_loop_policy()
        before = state()
        telemetry = open_telemetry()
        telemetry.attach(bus)
        async def main():
            bus.emit(schema_id=RUN, data={"tool": "x"})
            await bus.gather_listeners()
        asyncio.run(main())
        telemetry.close()
        (ours,) = set(bus.handlers) - {others}
        bus.remove_handler(ours)
        print(state() == before, seen)
        """,
    )

    ended(done, printed="True ['x', 'x']")
    assert tools(receiver) == ["x"]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="another module's name")
def test_a_subinterpreter_is_refused_with_an_import_error_and_the_host_goes_on(
    config, receiver
):
    done = run(
        config,
        """
        import _xxsubinterpreters as interpreters
        made = interpreters.create()
        code = '''
        try:
            from jupyter_otel import Telemetry
            Telemetry()
        except ImportError:
            pass
        '''
        import textwrap
        interpreters.run_string(made, textwrap.dedent(code))
        interpreters.destroy(made)
        print(emit("x"))
        """,
    )

    ended(done, printed="True")
    assert tools(receiver) == ["x"]


def test_a_server_with_a_broken_installation_of_ours_starts_and_stops(
    start_server, tmp_path
):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['jupyter_otel.assembly'] = None\n"
    )
    server = start_server(*COLLECTING, environ={"PYTHONPATH": f"{tmp_path}:{PROBE}"})

    assert server.status()["error"] == "an unforeseen ModuleNotFoundError"
    assert server.end() == 0
    assert "the server extension went on without: ModuleNotFoundError" in server.log


def test_a_server_that_collects_starts_without_what_only_records_and_pages_need(
    start_server,
):
    server = start_server(*COLLECTING)

    modules = set(server.probe()["modules"])

    assert "jupyter_otel.pipeline" in modules
    assert modules.isdisjoint({"google.protobuf", "jupyter_otel.hosts.server.page"})
