"""OTLP over HTTP, as protobuf or JSON: one POST a request, answers read as OTLP says.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp. No redirect is
followed and no ``.netrc`` read; proxies come from the environment.
"""

import gzip
import ssl
import zlib
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from jupyter_otel._version import __version__
from jupyter_otel.errors import ConfigError
from jupyter_otel.export.checks import check_endpoint, check_files, public_url
from jupyter_otel.export.failures import explain
from jupyter_otel.export.headers import (
    basic_authorization,
    check_headers,
    read_headers_file,
)
from jupyter_otel.export.otlp_json import to_json
from jupyter_otel.export.retry_after import read_retry_after
from jupyter_otel.export.services import parse_response
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Rejected, Retry, Verdict
from jupyter_otel.export.watched_files import WatchedFiles
from jupyter_otel.tally import Signal

_RETRYABLE = frozenset({429, 502, 503, 504})
_AUTH = frozenset({401, 403, 404})
_MAYBE_ONE_CULPRIT = frozenset({400, 413})
_ANSWER_BYTES = 64 * 1024
"""More of an answer is not read: it says nothing that we need."""

_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    # Level 1 halves the CPU of the default for a few percent more bytes; no time
    # stamp, so that equal requests stay equal.
    "gzip": lambda body: gzip.compress(body, compresslevel=1, mtime=0),
    "deflate": zlib.compress,
}
_CURES = {
    400: "the receiver cannot read the request; does it speak OTLP at this path?",
    401: "set OtelExport.headers or headers_file to valid credentials",
    403: "the credentials do not allow this; check them and the receiver's policy",
    404: "nothing listens at this path; check OtelExport.endpoint (/v1/logs is added)",
    413: "raise the receiver's size limit",
    415: "the receiver does not take this OtelExport.protocol or compression",
}


class HttpDestination:
    """Posts one signal's requests to a URL.

    Raises:
        ConfigError: The endpoint, a header or a certificate cannot be used.
    """

    max_request_bytes = 16 * 2**20

    def __init__(self, signal: Signal, settings: ExportSettings) -> None:
        check_endpoint(settings.endpoint)
        check_files(settings)
        self.name = public_url(settings.endpoint)
        self._signal = signal
        self._settings = settings
        self._json = settings.protocol == "http/json"
        self._compress = _COMPRESS[settings.compression]
        self._certificates = WatchedFiles(
            (
                settings.certificate_file,
                settings.client_certificate_file,
                settings.client_key_file,
            )
        )
        self._tokens = WatchedFiles((settings.headers_file,))
        self._template = _request(settings)
        self._session = _session(settings)

    def send(self, request: bytes, records: int) -> Verdict:
        """Post a request; return what its answer means. Never raises."""
        try:
            self._refresh()
            status, headers, body = self._post(self._encode(request))
        except ConfigError as error:  # a file was replaced by one that is unfit
            return Retry(None, str(error))
        except (requests.RequestException, HTTPError, OSError) as error:
            return Retry(None, explain(error, self.name))
        except ValueError as error:  # no request, or one that a library refuses
            return Rejected(f"{type(error).__name__} before {self.name}")
        if 200 <= status < 300:  # noqa: PLR2004  # HTTP's success class
            content_type = headers.get("Content-Type", "")
            return parse_response(self._signal, body, content_type, records)
        return self._judge(status, headers.get("Retry-After"))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _refresh(self) -> None:
        if self._tokens.changed():
            self._template = _request(self._settings)
        if self._certificates.changed():
            _check_tls(self._settings)
            # Connections that are open keep the old ones; new ones read the files.
            self._session.close()

    def _encode(self, request: bytes) -> bytes:
        return self._compress(to_json(self._signal, request) if self._json else request)

    def _post(
        self, body: bytes
    ) -> "tuple[int, requests.structures.CaseInsensitiveDict[str], bytes]":
        prepared = self._template.copy()
        prepared.body = body
        prepared.headers["Content-Length"] = str(len(body))
        with self._session.send(
            prepared,
            timeout=self._settings.timeout_s,
            allow_redirects=False,
            stream=True,
            verify=self._session.verify,
            cert=self._session.cert,
            proxies=self._session.proxies,
        ) as response:
            return response.status_code, response.headers, _read(response)

    def _judge(self, status: int, retry_after: str | None) -> Verdict:
        why = f"HTTP {status} from {self.name}"
        cure = _CURES.get(status)
        why = f"{why}: {cure}" if cure else why
        if status in _RETRYABLE:
            return Retry(read_retry_after(retry_after), why)
        if status in _AUTH and self._settings.hold_on_auth_error:
            return Retry(read_retry_after(retry_after), why)
        return Rejected(why, split=status in _MAYBE_ONE_CULPRIT)


def _read(response: requests.Response) -> bytes:
    """Return an answer's body; what cannot be read changes no verdict."""
    try:
        return response.raw.read(_ANSWER_BYTES, decode_content=True) or b""
    except (HTTPError, OSError):
        return b""


def _request(settings: ExportSettings) -> requests.PreparedRequest:
    """Return the request that each one is a copy of: preparing costs more.

    It is not prepared by a session, which would read ``.netrc``.
    """
    url = urlsplit(settings.endpoint)
    userinfo, _, host = url.netloc.rpartition("@")
    is_json = settings.protocol == "http/json"
    headers = {
        "User-Agent": f"jupyter-otel/{__version__}",
        "Content-Type": f"application/{'json' if is_json else 'x-protobuf'}",
    }
    if settings.compression != "none":
        headers["Content-Encoding"] = settings.compression
    if userinfo:
        headers["Authorization"] = basic_authorization(userinfo)
    headers |= check_headers(settings.headers)
    if settings.headers_file is not None:
        headers |= check_headers(read_headers_file(settings.headers_file))
    prepared = requests.Request(
        "POST",
        urlunsplit(url._replace(netloc=host)),
        {name: value.encode("latin-1") for name, value in headers.items()},
    )
    try:
        return prepared.prepare()
    except requests.RequestException as error:
        raise ConfigError(
            f"OtelExport.endpoint must be a URL that can be asked, got "
            f"{public_url(settings.endpoint)!r}. Write it like http://localhost:4318."
        ) from error


def _session(settings: ExportSettings) -> requests.Session:
    session = requests.Session()
    verify = str(settings.certificate_file) if settings.certificate_file else None
    found = session.merge_environment_settings(
        settings.endpoint, {}, stream=True, verify=verify, cert=None
    )
    session.verify, session.proxies = found["verify"], found["proxies"]
    if settings.client_certificate_file:
        pair = (settings.client_certificate_file, settings.client_key_file)
        names = tuple(str(path) for path in pair if path is not None)
        session.cert = names if len(names) > 1 else names[0]  # type: ignore[assignment]
    _check_tls(settings)
    return session


def _check_tls(settings: ExportSettings) -> None:
    """Load the certificates as each connection will.

    Raises:
        ConfigError: One of them is not what it should be.
    """
    # Not the default context: loading the system's authorities takes 20 ms.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    name = "certificate_file"
    try:
        if settings.certificate_file:
            context.load_verify_locations(settings.certificate_file)
        name = "client_certificate_file"
        if settings.client_certificate_file:
            context.load_cert_chain(
                settings.client_certificate_file, settings.client_key_file
            )
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"OtelExport.{name} must hold PEM certificates that can be loaded, got "
            f"{str(getattr(settings, name))!r} ({type(error).__name__}). "
            "Check that it is PEM, and that the key belongs to the certificate."
        ) from error
