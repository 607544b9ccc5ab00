"""HTTP itself, through ``requests``: one session, one prepared request, its copies.

No redirect is followed and no ``.netrc`` read; proxies come from the environment.
Nothing here knows what an answer means.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from jupyter_otel.export.bounded_connections import BoundedAdapter, Deadline
from jupyter_otel.export.failures import explain
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Retry

_PIECE_BYTES = 4096
_ANSWER_BYTES = 64 * 1024
"""More of an answer is not read: it says nothing that we need."""


class Answer(NamedTuple):
    """What came back, as far as it matters."""

    status: int
    content_type: str
    retry_after: str | None
    body: bytes


class HttpClient:
    """Posts to one URL, over connections that are kept open."""

    def __init__(self, settings: ExportSettings) -> None:
        self._settings = settings
        self._session = _session(settings)
        self._template = requests.PreparedRequest()

    def post(self, headers: Mapping[str, str], body: bytes) -> Answer | Retry:
        """Return the answer to a POST, or why there is none. Never raises."""
        with Deadline(self._settings.timeout_s) as deadline:
            try:
                return self._exchange(self._prepare(headers, body))
            # ValueError: what a library finds wrong with a URL or a proxy's.
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                why = explain(error, self._settings, timed_out=deadline.has_cut_off)
                return Retry(None, why)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._session.close()

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        with self._session.send(
            request,
            timeout=self._settings.timeout_s,
            allow_redirects=False,
            stream=True,
            verify=self._session.verify,
            cert=self._session.cert,
            proxies=self._session.proxies,
        ) as response:
            return _read(response)

    def _prepare(
        self, headers: Mapping[str, str], body: bytes
    ) -> requests.PreparedRequest:
        if self._template.url is None:
            self._template = _prepare(self._settings.endpoint)
        # A copy costs a quarter of preparing anew.
        prepared = self._template.copy()
        prepared.body = body
        prepared.headers.update(headers)
        prepared.headers["Content-Length"] = str(len(body))
        return prepared


def _prepare(endpoint: str) -> requests.PreparedRequest:
    # Prepared by no session: one would read ``.netrc``.
    url = urlsplit(endpoint)
    host = url.netloc.rpartition("@")[2]
    return requests.Request("POST", urlunsplit(url._replace(netloc=host))).prepare()


def _read(response: requests.Response) -> Answer:
    """Read an answer until it ends, or the time for the request does."""
    body = b""
    # urllib3 1 can only wait for the whole piece.
    read = getattr(response.raw, "read1", response.raw.read)
    # What cannot be read changes no verdict.
    with suppress(HTTPError, OSError):
        while len(body) < _ANSWER_BYTES:
            piece = read(_PIECE_BYTES, decode_content=True)
            if not piece:
                break
            body += piece
    headers = response.headers
    return Answer(
        response.status_code,
        headers.get("Content-Type", ""),
        headers.get("Retry-After"),
        body,
    )


def _session(settings: ExportSettings) -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter())
    verify = str(settings.certificate_file) if settings.certificate_file else None
    found = session.merge_environment_settings(
        settings.endpoint, {}, stream=True, verify=verify, cert=None
    )
    session.verify, session.proxies = found["verify"], found["proxies"]
    if settings.client_certificate_file:
        pair = (settings.client_certificate_file, settings.client_key_file)
        names = tuple(str(path) for path in pair if path is not None)
        session.cert = names if len(names) > 1 else names[0]  # type: ignore[assignment]
    return session
