"""What the environment of a real kernel holds of a server's, with us and without."""

import json
import sys

import pytest

COLLECTING = ("--OtelPolicy.level=operational", "--OtelConsent.mode=mandatory")
SERVERS = {
    "OTEL_SERVICE_NAME": "jupyter",
    "OTEL_RESOURCE_ATTRIBUTES": "service.version=1,team=physics",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=header-secret",
    "OTEL_TRACES_SAMPLER": "always_off",
    "JUPYTER_OTEL_TRACEPARENT": f"00-{'0a' * 16}-{'0b' * 8}-01",
    "TRACEPARENT": f"00-{'0a' * 16}-{'0b' * 8}-01",
}
HANDED_DOWN = {
    "OTEL_RESOURCE_ATTRIBUTES": "team=physics",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_TRACES_SAMPLER": "always_off",
}
PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"
# What jupyter_client, ipykernel and IPython set, one way or another each time.
THEIRS = ("JPY_", "PYDEVD_", "CLICOLOR", "FORCE_COLOR", "GIT_PAGER", "MPLBACKEND")
OWN_MANAGER = """
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager
class Own(ServerKernelManager):
    async def start_kernel(self, **kwargs):
        await super().start_kernel(**kwargs | {"env": kwargs["env"] | {"OWN": "1"}})
"""
SPEC = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Own",
    "language": "python",
    "env": {"OTEL_SERVICE_NAME": "own", "JUPYTER_OTEL_KERNEL": "off"},
}


def environment_in(connect, server, kernel_id):
    text = connect(server, kernel_id).run(PRINT_ENVIRONMENT)
    environ = json.loads(text.replace(str(server.home), "~"))
    return {n: v for n, v in environ.items() if not n.startswith(THEIRS)}


@pytest.fixture(scope="module")
def serving(start_server):
    """Return a server that has settings of its own in its environment."""
    return start_server(
        *COLLECTING,
        environ=SERVERS,
        files={"data/kernels/own/kernel.json": json.dumps(SPEC)},
    )


def test_a_kernel_has_what_it_would_have_without_us_and_its_mode(
    serving, start_server, connect
):
    plain = start_server(environ=HANDED_DOWN, extensions={"jupyter_otel": False})

    expected = environment_in(connect, plain, plain.start_kernel())
    environ = environment_in(connect, serving, serving.start_kernel())

    assert environ == {**expected, "JUPYTER_OTEL_KERNEL": "context"}


@pytest.mark.parametrize("way", ["kernel", "session"])
def test_it_stays_so_over_a_renaming_and_a_restart(serving, connect, way):
    if way == "kernel":
        kernel_id = serving.start_kernel()
    else:
        kernel_id = serving.start_session("a.ipynb")
        [session] = [
            s
            for s in serving.request("GET", "api/sessions")
            if s["kernel"]["id"] == kernel_id
        ]
        renamed = {"path": "b.ipynb", "name": "b.ipynb", "type": "notebook"}
        serving.request("PATCH", f"api/sessions/{session['id']}", renamed)
    serving.request("POST", f"api/kernels/{kernel_id}/restart")

    environ = environment_in(connect, serving, kernel_id)

    ours = {
        n: v
        for n, v in environ.items()
        if n.startswith(("OTEL_", "JUPYTER_OTEL", "TRACE"))
    }
    assert ours == {**HANDED_DOWN, "JUPYTER_OTEL_KERNEL": "context"}


def test_a_kernelspec_has_the_last_word(serving, connect):
    kernel_id = serving.request("POST", "api/kernels", {"name": "own"})["id"]

    environ = environment_in(connect, serving, kernel_id)

    assert environ["OTEL_SERVICE_NAME"] == "own"
    assert environ["JUPYTER_OTEL_KERNEL"] == "off"


def test_an_own_kernel_manager_starts_kernels_as_before(start_server, connect):
    server = start_server(
        *COLLECTING,
        "--OtelTraces.kernel=spans",
        "--AsyncMappingKernelManager.kernel_manager_class=own_kernels.Own",
        files={"modules/own_kernels.py": OWN_MANAGER},
        environ={"PYTHONPATH": "../modules"},
        extensions={"otel_probe": False},
    )

    environ = environment_in(connect, server, server.start_kernel())

    assert environ["OWN"] == "1"
    assert environ["JUPYTER_OTEL_KERNEL"] == "spans"
