"""Requests to a server as browsers, programs and attackers make them."""

import http.client
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from urllib.parse import urlsplit

from tests.integration.conftest import TOKEN

WITH_TOKEN = {"Authorization": f"token {TOKEN}"}
_XSRF = re.compile(r'name="_xsrf"[^>]*value="([^"]*)"')


def ask(server, method, path, headers=WITH_TOKEN, body=None):
    """Send one request as it is; return the answer's status."""
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    try:
        connection.request(method, place.path + path, body=body, headers=headers)
        with connection.getresponse() as answer:
            answer.read()
            return answer.status
    finally:
        connection.close()


def end(server):
    """End a server once it has logged its last answer; return its exit status.

    It logs the signal too, and cannot do both at once.
    """
    assert ask(server, "GET", "static/favicon.ico", {}) == 200
    return server.end()


class Browser:
    """Keeps cookies, follows redirections and fills in the form to sign in."""

    def __init__(self, server, **headers):
        self.server = server
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._opener.addheaders = list(headers.items())

    def open(self, path, data=None):
        """Return an answer's status and text."""
        form = None if data is None else urllib.parse.urlencode(data).encode()
        try:
            with self._opener.open(self.server.url + path, form, 30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def sign_in(self, password):
        """Fill the form in; return the status of the last answer."""
        _, page = self.open("login?next=%2Fapi")
        xsrf, *_ = _XSRF.findall(page)
        status, _ = self.open(
            "login?next=%2Fapi", {"_xsrf": xsrf, "password": password}
        )
        return status
