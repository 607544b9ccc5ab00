"""Sign-ins at a real server, good and bad, as they are exported."""

import pytest

from tests.integration.asking import WITH_TOKEN, Browser, ask, end
from tests.integration.conftest import COLLECTING, TOKEN

SIGN_IN, REQUEST = "jupyter_otel.sign_in", "jupyter_otel.http_request"
TWO_WAYS_IN = """
from jupyter_server.auth import passwd
c.PasswordIdentityProvider.hashed_password = passwd("a password", "sha256")
"""
# Lets whoever has the token look, and nothing else.
ONLY_LOOKS = """
from jupyter_server.auth import Authorizer
class OnlyLooks(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return action == "read"
c.ServerApp.authorizer_class = OnlyLooks
"""


def told(server):
    """Return action, method, status and count of each event, once the server ended."""
    assert end(server) == 0
    # Rows of two persons are sent one after the other.
    in_time = sorted(server.logs(SIGN_IN), key=lambda r: int(r.raw["timeUnixNano"]))
    return [
        (
            record.attributes["jupyter.event.action"],
            record.attributes.get("jupyter.event.method"),
            record.attributes["http.response.status_code"],
            record.attributes["jupyter.event.count"],
        )
        for record in in_time
    ]


def test_failed_sign_ins_the_good_one_and_the_sign_out_are_told(start_server):
    server = start_server(*COLLECTING)
    browser = Browser(server)
    statuses = [browser.sign_in("wrong"), browser.sign_in(TOKEN)]
    browser.open("api/contents")
    browser.open("logout")
    browser.open("logout")

    assert statuses == [401, 200]
    assert told(server) == [
        ("login_failed", "token", 401, 1),
        ("login", "token", 302, 1),
        ("logout", None, 200, 1),
    ]


def test_where_a_form_takes_two_things_it_is_not_told_which(start_server):
    server = start_server(
        *COLLECTING, files={"config/jupyter_server_config.py": TWO_WAYS_IN}
    )
    for typed in ("wrong", "a password", TOKEN):
        Browser(server).sign_in(typed)

    assert told(server) == [
        ("login_failed", None, 401, 1),
        ("login", None, 302, 1),
        ("login", None, 302, 1),
    ]


def test_a_sign_in_belongs_to_its_request_and_says_where_it_came_from(start_server):
    server = start_server(*COLLECTING)
    Browser(server, **{"X-Forwarded-For": "203.0.113.9"}).sign_in("wrong")
    end(server)

    [failed] = server.logs(SIGN_IN)
    [posted] = server.logs(REQUEST, **{"http.request.method": "POST"})
    assert failed.attributes["client.address"] == "127.0.0.1"
    assert failed.attributes["jupyter.event.handler"] == "LoginFormHandler"
    assert failed.raw["severityText"] == "WARN"
    assert failed.raw["spanId"] == posted.raw["spanId"]


def test_a_proxys_word_counts_where_the_server_trusts_it(start_server):
    server = start_server(*COLLECTING, "--ServerApp.trust_xheaders=True")
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    ask(server, "GET", "api/contents", forwarded)
    ask(server, "GET", "api/contents", {"X-Forwarded-For": "my-secret"})
    end(server)

    addresses = [r.attributes["client.address"] for r in server.logs(SIGN_IN)]
    assert addresses == ["203.0.113.9", "127.0.0.1"]
    schemes = [r.attributes["url.scheme"] for r in server.logs(REQUEST)]
    assert schemes == ["https", "http"]


@pytest.mark.parametrize("level", ["operational", "usage"])
def test_below_audit_nobody_learns_where_it_came_from(start_server, level):
    server = start_server(f"--OtelPolicy.level={level}")
    ask(server, "GET", "api/contents", {})
    end(server)

    [refused] = server.logs(SIGN_IN)
    assert "client.address" not in refused.attributes
    assert "127.0.0.1" not in str(refused.raw)


def test_tokens_good_and_bad_are_told_apart_from_no_token(start_server):
    server = start_server(*COLLECTING)
    Browser(server).open(f"api/contents?token={TOKEN}")
    Browser(server).open(f"login?token={TOKEN}&next=%2Fapi")
    for headers in ({}, {"Authorization": "token wrong"}, WITH_TOKEN, WITH_TOKEN):
        ask(server, "GET", "api/contents", headers)

    assert told(server) == [
        ("login", "token", 302, 1),
        ("forbidden", "none", 403, 1),
        ("login_failed", "token", 403, 1),
        ("login", "token", 200, 1),
    ]


def test_who_may_not_do_what_they_asked_for_is_refused_by_name(start_server):
    server = start_server(
        *COLLECTING, files={"config/jupyter_server_config.py": ONLY_LOOKS}
    )
    ask(server, "POST", "api/kernels", WITH_TOKEN, "{}")
    browser = Browser(server)
    browser.sign_in(TOKEN)
    browser.open("api/contents", {})

    assert told(server) == [
        ("forbidden", "token", 403, 1),
        ("login", "token", 302, 1),
        ("forbidden", None, 403, 1),
    ]


def test_a_flood_of_failures_is_few_records_and_counts_them_all(start_server):
    server = start_server(*COLLECTING)
    for _ in range(120):
        ask(server, "GET", "api/status?token=wrong", {})
    ask(server, "GET", "api/contents")
    for _ in range(30):
        ask(server, "GET", "api/status?token=wrong", {})

    assert told(server) == [
        *[("login_failed", "token", 403, 1)] * 5,
        ("login_failed", "token", 403, 115),
        ("login", "token", 200, 1),
        ("login_failed", "token", 403, 30),  # the minute is not over
    ]


def test_no_consent_is_needed_and_none_can_be_refused(start_server):
    server = start_server("--OtelPolicy.level=operational")
    ask(server, "GET", "api/contents", {})
    off = start_server(
        "--OtelPolicy.level=operational", "--OtelConsent.groups={'security': 'off'}"
    )
    ask(off, "GET", "api/contents", {})

    assert told(server) == [("forbidden", "none", 403, 1)]
    assert told(off) == []


def test_without_the_source_nothing_is_told(start_server):
    server = start_server(*COLLECTING, "--OtelSources.sign_ins=False")
    ask(server, "GET", "api/contents", {})

    assert told(server) == []
    assert len(server.logs(REQUEST)) == 1
