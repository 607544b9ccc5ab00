"""What ``jupyter otel init kernel`` prints, done as it says, with a real kernel."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jupyter_client
import pytest

from jupyter_otel.tally import Signal
from jupyter_otel.testing.http_receiver import HttpReceiver

ROOT = Path(__file__).parents[3]
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def printed(cli):
    status, text, err = cli("init", "kernel")
    assert (status, err) == (0, "")
    return text


def environment_of(shell_file, cli):
    """Return the environment after a shell has read a file."""
    read = f"set -a; . {shell_file}; set +a; env -0"
    shell = ["/bin/sh", "-c", read]
    out = subprocess.check_output(shell, env=cli.environment, text=True)
    return dict(line.split("=", 1) for line in out.split("\0") if line)


def test_a_kernel_in_that_environment_sends_its_cells_as_spans(cli, printed):
    with HttpReceiver() as receiver:
        text = printed.replace("http://localhost:4318", receiver.url)
        # The lines that are left to whoever needs them, too.
        text = re.sub(r"(?m)^# (OTEL_SERVICE_NAME|TRACEPARENT)", r"\1", text)
        environ = environment_of(cli.write("kernel.env", text), cli)
        with jupyter_client.run_kernel(env=environ) as client:
            client.execute_interactive("1", timeout=60)
            receiver.inbox.wait_for_requests(1, timeout_s=60)

    [received] = receiver.inbox.requests()
    [span] = receiver.inbox.records(Signal.TRACES)
    [resource] = received.message.resource_spans
    named = {it.key: it.value.string_value for it in resource.resource.attributes}
    assert (span.name, span.trace_id.hex()) == ("cell", TRACE_ID)
    assert named["service.name"] == "nightly-report"


def test_what_it_says_to_install_is_what_there_is(printed):
    project = tomllib.loads((ROOT / "kernel/pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    [target] = wheel["shared-data"].values()
    [startup] = (ROOT / "kernel/startup").glob("*.py")

    assert f"{project['project']['name']}[spans]" in printed
    assert "spans" in project["project"]["optional-dependencies"]
    assert f" {target}/{startup.name} " in printed
    assert (Path(sys.prefix) / target / startup.name).exists()
