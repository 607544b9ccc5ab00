"""OTLP over HTTP, as protobuf or JSON: one POST a request, answers read as OTLP says.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp. What cannot work is
said at the start; what is costly to import or open waits for the first request, in the
sender's thread.
"""

import gzip
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_otel._version import __version__
from jupyter_otel.errors import ConfigError
from jupyter_otel.export.checks import (
    check_endpoint,
    check_files,
    check_tls,
    public_url,
)
from jupyter_otel.export.headers import (
    basic_authorization,
    check_headers,
    read_headers_file,
)
from jupyter_otel.export.retry_after import read_retry_after
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Rejected, Retry, Sent, Verdict
from jupyter_otel.export.watched_files import WatchedFiles
from jupyter_otel.tally import Signal

if TYPE_CHECKING:
    from jupyter_otel.export.http_client import Answer, HttpClient

_RETRYABLE = frozenset({429, 502, 503, 504})
_AUTH = frozenset({401, 403, 404})
_MAYBE_ONE_CULPRIT = frozenset({400, 413})

_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    # Level 1 halves the CPU of the default for a few percent more bytes; no time
    # stamp, so that equal requests stay equal.
    "gzip": lambda body: gzip.compress(body, compresslevel=1, mtime=0),
    "deflate": zlib.compress,
}
_PAGE_CURE = (
    "the records count as sent, but no OTLP receiver answers so; is there a login page "
    "or a proxy in between?"
)
_CURES = {
    400: "the receiver cannot read the request; does it speak OTLP at this path?",
    401: "set OtelExport.headers or headers_file to valid credentials",
    403: "the credentials do not allow this; check them and the receiver's policy",
    404: "nothing listens at this path; check {setting}",
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
        check_endpoint(settings.endpoint, settings.endpoint_setting)
        check_files(settings)
        check_tls(settings)
        self.name = public_url(settings.endpoint)
        self._signal = signal
        self._settings = settings
        self._compress = _COMPRESS[settings.compression]
        self._certificates = WatchedFiles(
            (
                settings.certificate_file,
                settings.client_certificate_file,
                settings.client_key_file,
            )
        )
        self._tokens = WatchedFiles((settings.headers_file,))
        self._headers = _headers(settings)
        self._client: HttpClient | None = None

    def send(self, request: bytes, records: int) -> Verdict:
        """Post a request; return what its answer means. Never raises."""
        try:
            client = self._refreshed_client()
            body = self._encode(request)
        except ConfigError as error:  # a file was replaced by one that is unfit
            return Retry(None, str(error))
        except ValueError as error:
            return Rejected(str(error))
        answer = client.post(self._headers, body)
        return answer if isinstance(answer, Retry) else self._judge(answer, records)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _refreshed_client(self) -> "HttpClient":
        # requests costs 70 ms to import, and a server's start must not wait for it.
        from jupyter_otel.export.http_client import HttpClient  # noqa: PLC0415

        if self._client is None:
            self._client = HttpClient(self._settings)
        if self._tokens.changed():
            self._headers = _headers(self._settings)
        if self._certificates.changed():
            check_tls(self._settings)
            # Connections that are open keep the old ones; new ones read the files.
            self._client.close()
        return self._client

    def _encode(self, request: bytes) -> bytes:
        if self._settings.protocol == "http/json":
            # Imports the protocol's messages, which protobuf alone does not need.
            from jupyter_otel.export.otlp_json import to_json  # noqa: PLC0415

            request = to_json(self._signal, request)
        return self._compress(request)

    def _judge(self, answer: "Answer", records: int) -> Verdict:
        status = answer.status
        if 200 <= status < 300:  # noqa: PLR2004  # HTTP's success class
            return self._read_success(answer, records)
        cure = _CURES.get(status, "").format(setting=self._settings.endpoint_setting)
        why = f"HTTP {status} from {self.name}" + (f": {cure}" if cure else "")
        held = status in _AUTH and self._settings.hold_on_auth_error
        if status in _RETRYABLE or held:
            return Retry(read_retry_after(answer.retry_after), why)
        return Rejected(why, split=status in _MAYBE_ONE_CULPRIT)

    def _read_success(self, answer: "Answer", records: int) -> Sent:
        if not answer.body:
            return Sent()
        if _is_web_page(answer):
            return Sent(warning=f"a web page came from {self.name}: {_PAGE_CURE}")
        # As for JSON: most receivers answer with an empty message.
        from jupyter_otel.export.services import parse_response  # noqa: PLC0415

        return parse_response(self._signal, answer.body, answer.content_type, records)


def _is_web_page(answer: "Answer") -> bool:
    """Return whether somebody else answered: a login page, a proxy's."""
    is_html = answer.content_type.lower().startswith("text/html")
    return is_html and answer.body.lstrip().startswith(b"<")


def _headers(settings: ExportSettings) -> dict[str, str]:
    """Return what goes above each request.

    Raises:
        ConfigError: A header cannot be sent, or their file cannot be read.
    """
    is_json = settings.protocol == "http/json"
    headers = {
        "User-Agent": f"jupyter-otel/{__version__}",
        "Content-Type": f"application/{'json' if is_json else 'x-protobuf'}",
    }
    if settings.compression != "none":
        headers["Content-Encoding"] = settings.compression
    userinfo = urlsplit(settings.endpoint).netloc.rpartition("@")[0]
    if userinfo:
        headers["Authorization"] = basic_authorization(userinfo)
    headers |= check_headers(settings.headers)
    if settings.headers_file is not None:
        headers |= check_headers(read_headers_file(settings.headers_file))
    return headers
