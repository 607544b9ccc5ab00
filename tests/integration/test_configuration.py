"""A server whose telemetry is configured wrongly, or by its own file."""

import json
import re
import urllib.error

import pytest


def test_a_server_with_a_bad_setting_starts_and_says_what_is_wrong(start_server):
    server = start_server("--OtelPolicy.level=everything")

    status = server.status()
    kernel_id = server.start_kernel()

    complaint = (
        "OtelPolicy.level must be one of none, operational, usage, audit, "
        "got 'everything'. Write one of these words."
    )
    assert (status["error"], status["level"]) == (complaint, "none")
    assert server.log.count(complaint) == 1
    assert "Traceback" not in server.log
    assert server.probe()["handlers"] == []
    assert kernel_id


def test_a_spool_that_cannot_be_opened_leaves_a_working_server(start_server, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    server = start_server(
        "--OtelPolicy.level=audit", f"--OtelSpool.directory={blocked}/spool"
    )

    assert "OtelSpool.directory" in (server.status()["error"] or "") + server.log
    assert server.probe()["handlers"] == []


def test_one_line_says_what_is_collected_and_where_it_goes(start_server):
    server = start_server(
        "--OtelPolicy.level=usage",
        "--OtelConsent.mode=mandatory",
        "--OtelExport.endpoint=http://me:s3cret@127.0.0.1:9",
    )
    server.status()

    line = "jupyter_otel: level usage, consent mandatory, to http://127.0.0.1:9\n"
    assert server.log.count(line) == 1
    assert "s3cret" not in server.log


def test_an_inert_server_says_nothing(start_server):
    server = start_server("--OtelPolicy.level=none")
    server.status()

    assert "jupyter_otel: " not in server.log


def test_the_extensions_own_file_is_read_below_the_servers(start_server):
    settings = {"OtelPolicy": {"level": "usage", "identity": "none"}}
    server = start_server(
        "--OtelPolicy.level=operational",
        files={"config/jupyter_otel_config.json": json.dumps(settings)},
    )

    assert server.status()["level"] == "operational"


def test_a_warning_is_logged_once(start_server):
    server = start_server(
        "--OtelPolicy.level=usage",
        "--OtelExport.endpoint=http://127.0.0.1:4317",
    )

    [warning] = server.status()["warnings"]
    assert "4317" in warning
    assert server.log.count(warning) == 1


@pytest.mark.parametrize("path", ["status", "collected", "consent"])
def test_nothing_is_answered_without_the_token(server, path):
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.request("GET", f"otel/v1/{path}", token="")

    assert refused.value.code == 403
    refused.value.close()


def test_the_authorizer_is_asked_for_the_resource_otel(start_server):
    server = start_server(
        files={"config/jupyter_server_config.py": AUTHORIZER},
    )

    with pytest.raises(urllib.error.HTTPError) as refused:
        server.status()

    assert refused.value.code == 403
    refused.value.close()
    assert server.answers("api/status")


AUTHORIZER = """
from jupyter_server.auth import Authorizer
class NoOtel(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "otel"
c.ServerApp.authorizer_class = NoOtel
"""


def test_our_lines_stand_in_the_log_like_the_servers_own(start_server, wait_until):
    server = start_server(
        "--OtelPolicy.level=usage",
        "--OtelConsent.mode=mandatory",
        "--OtelExport.endpoint=http://127.0.0.1:9",
    )
    server.start_kernel()

    lines = wait_until(
        lambda: [line for line in server.log.splitlines() if "no answer from" in line]
    )
    for line in lines:  # one a signal
        assert re.fullmatch(r"\[W \S+ \S+ jupyter_otel\] \w+: no answer from .*", line)
