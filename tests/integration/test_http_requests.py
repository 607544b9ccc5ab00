"""Requests to a real server, as they are exported."""

import json

import pytest

from tests.integration.asking import WITH_TOKEN, ask, end
from tests.integration.conftest import COLLECTING, PROBE, TOKEN

REQUEST, EVENTS = "jupyter_otel.http_request", "jupyter_server.contents_service"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLS = "calls.txt"
OTHER_LOG = """
def other_log(handler):
    with open("calls.txt", "a") as file:
        file.write(f"{handler.request.method} {type(handler).__name__}\\n")
    if handler.request.path.endswith("/raises"):
        raise LookupError("of their own")
c.ServerApp.tornado_settings = {"log_function": other_log}
"""
# What jupyterhub.singleuser.extension does when it is loaded.
AS_UNDER_A_HUB = """
def _load_jupyter_server_extension(serverapp):
    from jupyterhub.log import log_request
    serverapp.web_app.settings["log_function"] = log_request
"""


def in_trace(number, flags="01"):
    """Return headers that put a request into a trace of its own."""
    trace_id = TRACE[:-4] + f"{number:04x}"
    return trace_id, WITH_TOKEN | {"traceparent": f"00-{trace_id}-{PARENT}-{flags}"}


def of_trace(records, trace_id):
    return [record for record in records if record.raw.get("traceId") == trace_id]


@pytest.fixture
def asked(server, wait_until):
    """Return what asks in a trace of its own, and returns its one request's records."""

    def asked(number, method, path, flags="01", body=None):
        trace_id, headers = in_trace(number, flags)
        ask(server, method, path, headers, body)
        logs = wait_until(lambda: of_trace(server.logs(REQUEST), trace_id))
        return logs, of_trace(server.logs(EVENTS), trace_id), trace_id

    return asked


def test_a_request_is_an_event_and_a_span_of_the_clients_trace(
    server, asked, wait_until
):
    [log], _, trace_id = asked(1, "GET", "api/kernelspecs/python3")
    [span] = wait_until(lambda: of_trace(server.spans(), trace_id))

    said = log.attributes
    assert {
        name: said[name]
        for name in said
        if name.startswith(("http.", "url.", "jupyter.e"))
    } == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "jupyter.event.handler": "KernelSpecHandler",
        "jupyter.event.duration_ms": said["jupyter.event.duration_ms"],
    }
    assert (span.name, span.raw["kind"]) == ("GET KernelSpecHandler", 2)
    assert span.attributes == said
    assert span.raw["parentSpanId"] == PARENT
    assert span.raw["spanId"] == log.raw["spanId"]
    assert span.raw["status"] == {}
    length = int(span.raw["endTimeUnixNano"]) - int(span.raw["startTimeUnixNano"])
    assert length / 1e6 == pytest.approx(said["jupyter.event.duration_ms"], abs=0.001)


def test_events_inside_a_request_belong_to_its_span(server, asked, wait_until):
    body = json.dumps({"type": "file", "format": "text", "content": "1"})
    [log], _, trace_id = asked(2, "PUT", "api/contents/in-a-request.txt", body=body)
    events = wait_until(lambda: of_trace(server.logs(EVENTS), trace_id))

    assert [e.attributes["jupyter.event.action"] for e in events][-1] == "save"
    assert {event.raw["spanId"] for event in events} == {log.raw["spanId"]}


def test_what_a_client_does_wrong_is_no_failure_of_the_span(server, asked, wait_until):
    [log], _, trace_id = asked(3, "GET", "api/contents/not-there.txt")
    [span] = wait_until(lambda: of_trace(server.spans(), trace_id))

    assert log.attributes["http.response.status_code"] == 404
    assert log.raw["severityText"] == "INFO"
    assert span.raw["status"] == {}
    assert "error.type" not in span.attributes


def test_a_server_that_fails_is_a_failed_span(start_server, wait_until):
    server = start_server(*COLLECTING)
    ask(server, "GET", "failing")
    [span] = wait_until(lambda: server.spans("GET FailingHandler"))
    [log] = server.logs(REQUEST, **{"http.response.status_code": 500})

    assert span.raw["status"] == {"code": 2}
    assert span.attributes["error.type"] == log.attributes["error.type"] == "500"
    assert log.raw["severityText"] == "ERROR"


def test_a_client_that_samples_its_spans_away_hides_no_request(server, asked):
    [log], _, trace_id = asked(4, "GET", "api/config/notebook", flags="00")
    [later], _, _ = asked(5, "GET", "api/config/notebook")

    assert log.raw.get("flags", 0) == 0
    assert server.spans(**{"log.record.uid": later.attributes["log.record.uid"]})
    assert of_trace(server.spans(), trace_id) == []


def test_polling_is_left_out_unless_it_is_asked_for(start_server, wait_until):
    paths = ("api/status", "api/kernels", "api/sessions", "api/terminals", "metrics")
    paths += ("static/favicon.ico", "otel/v1/status", "otel/v1/consent")
    terminals = {"jupyter_server_terminals": True}
    quiet = start_server(*COLLECTING, extensions=terminals)
    told = start_server(
        *COLLECTING, "--OtelSources.http_polling=True", extensions=terminals
    )
    for server in (quiet, told):
        assert [ask(server, "GET", path) for path in paths] == [200] * len(paths)
        ask(server, "GET", "api")
        end(server)

    handlers = [
        [record.attributes["jupyter.event.handler"] for record in server.logs(REQUEST)]
        for server in (quiet, told)
    ]
    assert handlers[0] == ["APIVersionHandler"]
    assert set(handlers[1]) == {
        "APIStatusHandler",
        "APIVersionHandler",
        "ConsentHandler",
        "FileFindHandler",
        "MainKernelHandler",
        "PrometheusMetricsHandler",
        "SessionRootHandler",
        "StatusHandler",
        "TerminalRootHandler",
    }


def test_a_websocket_is_one_short_request_and_no_parent_of_its_cells(
    start_server, connect, wait_until
):
    server = start_server(*COLLECTING)
    kernel_id = server.start_kernel()
    client = connect(server, kernel_id)
    client.run("1")
    [request] = wait_until(lambda: server.spans("GET KernelWebsocketHandler"))
    [cell] = wait_until(lambda: server.spans("execute"))
    client.close()
    end(server)

    assert request.attributes["http.response.status_code"] == 101
    assert request.raw["endTimeUnixNano"] < cell.raw["endTimeUnixNano"]
    assert cell.raw["traceId"] != request.raw["traceId"]
    assert len(server.spans("GET KernelWebsocketHandler")) == 1


HOSTILE = [
    ("MY-SECRET-METHOD", {}, 405),
    ("GET", {"traceparent": "garbage"}, 200),
    ("GET", {"traceparent": f"00-{TRACE}-{PARENT}-01" * 100}, 200),
    ("GET", {"tracestate": "vendor=secret", "baggage": "user=secret"}, 200),
    ("GET", {"X-Long": "secret" * 8000}, 200),
    ("GET", {"Host": "secret.example.org"}, 403),
]


def test_hostile_requests_are_told_like_any_other_and_tell_nothing(start_server):
    server = start_server(*COLLECTING)
    statuses = [
        ask(server, method, "api/config/x", WITH_TOKEN | headers)
        for method, headers, _ in HOSTILE
    ]
    with pytest.raises((ConnectionError, OSError)):
        ask(server, "GET", "api/config/x", {"X-Long": "secret" * 100_000})
    end(server)

    told = server.logs(REQUEST, **{"jupyter.event.handler": "ConfigHandler"})
    assert statuses == [status for *_, status in HOSTILE]
    assert [r.attributes["http.response.status_code"] for r in told] == statuses
    assert "HTTP ConfigHandler" in [span.name for span in server.spans()]
    exported = "".join(path.read_text() for path in server.export.iterdir())
    assert "secret" not in exported.lower()
    assert "went on without" not in server.log


def test_no_url_token_agent_or_cookie_gets_out_anywhere(start_server):
    canary = "Zq0001Xv0001Kj"
    server = start_server(
        "--OtelPolicy.level=operational",
        "--OtelConsent.mode=mandatory",
        "--OtelPolicy.identity=none",
        f"--ServerApp.base_url=/user/{canary}/",
    )
    headers = {"User-Agent": canary, "Cookie": f"a={canary}", "Referer": f"x?{canary}"}
    for path in (f"api/contents/{canary}", "api/kernels", f"otel/{canary}", "lab"):
        for token in (TOKEN, canary):
            ask(server, "GET", f"{path}?token={token}&{canary}={canary}", headers)
    ask(server, "POST", "login", headers, f"username={canary}&password={canary}")
    end(server)

    folder = server.home / "data" / "jupyter_otel"
    out = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    lines = server.log.splitlines()
    out += [line.encode() for line in lines if line.startswith("jupyter_otel")]
    assert any(b"jupyter_otel.sign_in" in blob for blob in out)
    assert any(b"jupyter_otel.http_request" in blob for blob in out)
    for secret in (canary, TOKEN):
        found = [blob for blob in out if secret.encode() in blob]
        assert found == []


def test_another_log_function_is_still_called_and_its_errors_are_its_own(start_server):
    server = start_server(
        *COLLECTING, files={"config/jupyter_server_config.py": OTHER_LOG}
    )
    for path in ("api/config/x", "api/contents/raises"):
        ask(server, "GET", path)
    end(server)

    calls = (server.home / "work" / CALLS).read_text()
    assert "GET ConfigHandler\nGET ContentsHandler\n" in calls
    assert "LookupError: of their own" in server.log
    told = {
        record.attributes["jupyter.event.handler"] for record in server.logs(REQUEST)
    }
    assert {"ConfigHandler", "ContentsHandler"} <= told


def test_the_log_function_that_jupyterhub_sets_as_it_is_loaded_is_still_called(
    start_server, tmp_path
):
    (tmp_path / "late_log.py").write_text(AS_UNDER_A_HUB)
    server = start_server(
        *COLLECTING,
        extensions={"late_log": True},
        environ={"PYTHONPATH": f"{tmp_path}:{PROBE}"},
    )
    ask(server, "GET", "api/contents/not-there")
    end(server)

    # jupyter_server's own function names the user by their id.
    assert "404 GET /api/contents/not-there (Anonymous " in server.log
    told = [r.attributes["jupyter.event.handler"] for r in server.logs(REQUEST)]
    assert told == ["ContentsHandler"]


def test_without_the_source_nothing_is_wrapped_and_events_are_in_no_span(start_server):
    off = ("--OtelSources.http_requests=False", "--OtelSources.sign_ins=False")
    server = start_server(*COLLECTING, *off)
    ask(server, "GET", "api/contents", in_trace(6)[1])
    seen = server.probe()["log_function"]
    end(server)

    [event] = server.logs(EVENTS)
    assert seen == "partial"
    assert event.raw.get("traceId", "") == ""
    assert server.logs(REQUEST) == server.spans() == []
