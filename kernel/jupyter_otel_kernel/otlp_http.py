"""Sends spans by OTLP/HTTP, in silence: the stock exporter logs its failures.

That log is a notebook's output. A connection serves one request, so that a forked child
never shares one with its parent. No retry: the relay is on this machine and keeps what
it takes; what it does not take is counted as lost.
"""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.util.re import parse_env_headers

_PREFIX = "OTEL_EXPORTER_OTLP_"
_TIMEOUT_S = 10.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def endpoint_of(environ: Mapping[str, str]) -> str | None:
    """Return the URL that an environment names for traces; None where it names none."""
    whole = environ.get(f"{_PREFIX}TRACES_ENDPOINT")
    if whole:
        return whole
    base = environ.get(f"{_PREFIX}ENDPOINT")
    return f"{base.rstrip('/')}/v1/traces" if base else None


class OtlpHttp:
    """One receiver, as ``OTEL_EXPORTER_OTLP_*`` describe it.

    Args:
        environ: Where they stand.

    Raises:
        ValueError: No endpoint is named, or one that is not HTTP.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        url = endpoint_of(environ)
        if url is None or urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(
                "OTEL_EXPORTER_OTLP_ENDPOINT names no OTLP/HTTP receiver in this kernel"
            )
        self._url = url
        self._headers = {
            **parse_env_headers(_of_traces(environ, "HEADERS"), liberal=True),
            "content-type": "application/x-protobuf",
        }
        timeout = _of_traces(environ, "TIMEOUT")
        self._timeout_s = float(timeout) if timeout else _TIMEOUT_S
        near = urlsplit(url).hostname in _LOOPBACK
        # A proxy knows nothing of this machine's own ports.
        proxies = [urllib.request.ProxyHandler({})] if near else []
        tls = _trusting(_of_traces(environ, "CERTIFICATE"))
        self._opener = urllib.request.build_opener(_NoRedirect, *proxies, *tls)

    def send(self, spans: Sequence[ReadableSpan], timeout_s: float) -> None:
        """Send spans, within that time or the configured one.

        Raises:
            OSError: They were not taken.
        """
        request = urllib.request.Request(  # noqa: S310 - http or https, see above
            self._url,
            data=encode_spans(spans).SerializeToString(),
            headers=self._headers,
            method="POST",
        )
        try:
            self._opener.open(request, timeout=min(timeout_s, self._timeout_s)).close()
        except urllib.error.HTTPError as refused:
            refused.close()
            raise


def _trusting(certificate: str) -> list[urllib.request.HTTPSHandler]:
    """Return what verifies a receiver against a file; nothing: as the system does.

    Raises:
        ValueError: The file cannot be used.
    """
    if not certificate:
        return []
    try:
        context = ssl.create_default_context(cafile=certificate)
    except OSError as error:
        raise ValueError(
            "OTEL_EXPORTER_OTLP_CERTIFICATE names no file of certificates"
        ) from error
    return [urllib.request.HTTPSHandler(context=context)]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Spans and their token go where they were meant to go, or nowhere."""

    def redirect_request(self, *_args: object) -> None:
        """Follow none: a redirect becomes an error."""


def _of_traces(environ: Mapping[str, str], name: str) -> str:
    return environ.get(f"{_PREFIX}TRACES_{name}") or environ.get(f"{_PREFIX}{name}", "")
