# ruff: noqa: D102 - what the helpers of tests do is in their names
"""The page for people: read without scripts, used as a form, checked in a browser."""

import json
import os
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar

import pytest

from tests.integration.two_users import (
    ANN,
    BOB,
    consent,
    put_file,
    recent,
    start_shared_server,
)

NOTICE = """
c.OtelConsent.notice = "We look at <b>load</b>.\\n\\nOn your consent."
c.OtelConsent.contact = "privacy@example.org"
c.OtelConsent.policy_url = "https://example.org/privacy?a=1&b=2"
c.OtelConsent.groups = {"operations": "mandatory", "interface": "opt_out"}
"""


class Text(HTMLParser):
    """The words that a reader without scripts and styles sees."""

    def __init__(self, html):
        super().__init__()
        self._parts, self._hidden = [], 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Leave out what is no text."""
        self._hidden += tag in {"style", "script"}

    def handle_endtag(self, tag):
        """See there."""
        self._hidden -= tag in {"style", "script"}

    def handle_data(self, data):
        """Take the words."""
        if not self._hidden:
            self._parts.append(data)

    @property
    def words(self):
        return " ".join("".join(self._parts).split())


class Browser:
    """Keeps cookies, follows redirects, runs no script."""

    def __init__(self, server, token):
        self._url = f"{server.url}otel"
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self.html = self._open(f"{self._url}?token={token}")

    @property
    def text(self):
        return Text(self.html).words

    def look(self, query=""):
        self.html = self._open(self._url + query)
        return self.text

    def submit(self, **fields):
        [xsrf] = re.findall(r'name="_xsrf" value="([^"]+)"', self.html)
        self.html = self._open(self._url, {"_xsrf": xsrf} | fields)
        return self.text

    def post(self, **fields):
        return self._open(self._url, fields)

    def _open(self, url, fields=None):
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        with self._opener.open(url, data, timeout=30) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def shared(start_server):
    config = {"config/jupyter_otel_config.py": NOTICE}
    return start_shared_server(start_server, files=config)


def test_the_page_tells_what_the_deployment_says_and_what_the_policy_does(shared):
    browser = Browser(shared, ANN)

    for told in (
        "We look at <b>load</b>. On your consent.",
        "Questions: privacy@example.org",
        "You are signed in as ann.",
        "requests, terminals. Always on:",
        "jupyter_server.contents_service",
        "leaves as it is",
        str(shared.export),
    ):
        assert told in browser.text
    assert 'href="https://example.org/privacy?a=1&amp;b=2"' in browser.html
    assert "<script" not in browser.html


def test_choices_are_made_with_a_form_and_hold(shared, wait_until):
    browser = Browser(shared, BOB)
    assert "You have not said anything yet." in browser.text

    said = browser.submit(data="yes", interface="no")
    assert "Your choices are saved" in said
    put_file(shared, BOB, "bob.txt")
    wait_until(lambda: "path=bob.txt" in browser.look())

    groups = shared.request("GET", "otel/v1/consent", None, BOB)["groups"]
    chosen = {name: group["choice"] for name, group in groups.items()}
    assert chosen == {
        "security": None,
        "operations": None,
        "executions": None,
        "data": True,
        "interface": False,
        "extensions": None,
    }

    said = browser.submit(data="no")
    assert "path=bob.txt" not in said
    assert {sent["group"] for sent in recent(shared, BOB)} == {"security"}


def test_nobody_reads_another_ones_records_on_it(shared, wait_until):
    consent(shared, ANN, data=True)
    put_file(shared, ANN, "only-anns.txt")
    wait_until(lambda: "only-anns.txt" in Browser(shared, ANN).text)

    assert "only-anns.txt" not in Browser(shared, BOB).text
    assert "only-anns.txt" not in json.dumps(recent(shared, BOB, 1000))


def test_a_form_of_another_site_is_refused(shared):
    browser = Browser(shared, ANN)

    with pytest.raises(urllib.error.HTTPError) as refused:
        browser.post(data="no")

    refused.value.close()
    assert refused.value.code == 403


def test_showing_the_notice_is_recorded_once(start_server, wait_until):
    server = start_shared_server(start_server, "--OtelConsent.mode=mandatory")
    for _ in range(2):
        Browser(server, ANN)
    [shown] = wait_until(lambda: server.logs("jupyter_otel.consent"))

    notice = server.request("GET", "otel/v1/consent", None, ANN)["notice"]
    of_bob = server.request("GET", "otel/v1/consent", None, BOB)["notice"]
    assert shown.attributes["jupyter.event.action"] == "notice_shown"
    assert shown.attributes["jupyter.event.by"] == "page"
    assert shown.attributes["user.name"] == "ann"
    assert notice["shown_at"] is not None
    assert of_bob["shown_at"] is None


def test_where_nothing_is_collected_the_page_says_so(start_server):
    server = start_server()
    with urllib.request.urlopen(  # noqa: S310 - the test's own server
        f"{server.url}otel?token=integration-test"
    ) as answer:
        text = Text(answer.read().decode()).words

    assert "Nothing is collected on this server." in text
    assert "Your choices" not in text


@pytest.fixture(scope="module")
def chromium():
    """A real browser; where there is none the test is skipped and listed."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - if it is here
    except ImportError:
        sync_playwright = None
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None or sync_playwright is None:
        missing = "No browser: install Chromium (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_nothing_to_object_to(shared, chromium, wait_until, width):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - see there

    consent(shared, ANN, data=True)
    put_file(shared, ANN, "seen.txt")
    wait_until(lambda: recent(shared, ANN))
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{shared.url}otel?token={ANN}")

    found = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert wide <= width


def test_the_sign_in_page_shows_the_notice_before_anybody_is_signed_in(shared):
    with urllib.request.urlopen(  # noqa: S310 - the test's own server
        f"{shared.url}login", timeout=30
    ) as answer:
        html = answer.read().decode()

    words = Text(html).words
    assert "Password or token:" in words
    assert "We look at <b>load</b>. On your consent." in words
    assert "Questions: privacy@example.org" in words
    assert 'href="https://example.org/privacy?a=1&amp;b=2"' in html
    assert f'href="{urllib.parse.urlparse(shared.url).path}otel"' in html


def test_whoever_signs_in_by_the_form_has_been_shown_the_notice(
    start_server, wait_until
):
    provider = """
from jupyter_server.auth.identity import PasswordIdentityProvider, User

class Names(PasswordIdentityProvider):
    def process_login_form(self, handler):
        name = handler.get_argument("password").removeprefix("the-word-of-")
        return User(name) if name in ("ann", "bob") else None

c.ServerApp.identity_provider_class = Names
c.OtelPolicy.identity = "name"
c.OtelPolicy.level = "audit"
c.OtelConsent.mode = "mandatory"
c.OtelConsent.notice = "We look at load."
"""
    server = start_server(files={"config/jupyter_server_config.py": provider})

    for word in ("wrong", "the-word-of-bob"):
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        opener = urllib.request.build_opener(jar)
        html = opener.open(f"{server.url}login", timeout=30).read().decode()
        xsrf, *_ = re.findall(r'name="_xsrf" value="([^"]+)"', html)
        form = urllib.parse.urlencode({"_xsrf": xsrf, "password": word})
        try:
            opener.open(f"{server.url}login?next=%2Fapi", form.encode(), timeout=30)
        except urllib.error.HTTPError as refused:
            refused.close()

    [shown] = wait_until(lambda: server.logs("jupyter_otel.consent"))
    told = {
        name: shown.attributes[f"jupyter.event.{name}"] for name in ("action", "by")
    }
    assert told == {"action": "notice_shown", "by": "sign_in"}
    assert shown.attributes["user.name"] == "bob"
