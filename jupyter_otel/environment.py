"""Where each signal goes: traits, then `OTEL_*` variables, then defaults.

Per setting: signal trait > trait > signal variable > variable > default. A variable
that cannot be used is a warning and counts as unset, as OpenTelemetry's specification
says. What is legal but probably wrong is a warning too. No warning repeats a header's
value or a URL's credentials. Nothing is opened or sent here.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, cast
from urllib.parse import unquote, urlsplit, urlunsplit

from jupyter_otel.config import OtelExport
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.setting_types import (
    is_header,
    unreadable,
    url_complaint,
    without_credentials,
)
from jupyter_otel.tally import Signal

_T = TypeVar("_T")
_MIB = 2**20
_DEFAULT_TIMEOUT_S = 10.0
_DEFAULT_METRIC_INTERVAL_S = 60.0
_GRPC_PORT = 4317
_HTTP_PORT = 4318
_LOOPBACK = re.compile(r"localhost|127\..*|::1|.*\.localhost", re.IGNORECASE)
_SECRET = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)
_SIGNAL_PATH = re.compile(r"/v1/(logs|traces|metrics)/?$")


class Export(NamedTuple):
    """Where a signal goes, and what a person should know about it."""

    settings: ExportSettings
    warnings: tuple[str, ...]


class _Url(NamedTuple):
    """An endpoint as somebody set it."""

    text: str
    setting: str
    whole: bool
    """Whether it is one signal's URL, used as it is."""


def sdk_disabled(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether ``OTEL_SDK_DISABLED`` turns everything off."""
    environ = os.environ if environ is None else environ
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def metrics_enabled(
    trait: bool | None, environ: Mapping[str, str] | None = None
) -> bool:
    """Return whether the books are sent as metrics: asked for, or an exporter named."""
    if trait is not None:
        return trait
    environ = os.environ if environ is None else environ
    return environ.get("OTEL_METRICS_EXPORTER", "").strip().lower() not in {"", "none"}


def metric_interval_s(
    warnings: list[str], environ: Mapping[str, str] | None = None
) -> float:
    """Return how often metrics are exported; warn of a variable that is no number."""
    environ = os.environ if environ is None else environ
    text = environ.get("OTEL_METRIC_EXPORT_INTERVAL", "").strip()
    try:
        return _seconds(text) / 1e3 if text else _DEFAULT_METRIC_INTERVAL_S
    except ValueError:
        warnings.append(
            "OTEL_METRIC_EXPORT_INTERVAL must be a number of milliseconds above 0, got "
            f"{text!r}. It is ignored."
        )
        return _DEFAULT_METRIC_INTERVAL_S


def export_settings(
    signal: Signal, traits: OtelExport, environ: Mapping[str, str] | None = None
) -> Export:
    """Return where one signal goes under these traits and variables."""
    reading = _Reading(signal, traits, os.environ if environ is None else environ)
    settings = reading.settings()
    return Export(settings, tuple(dict.fromkeys(reading.warnings)))


@dataclass(slots=True)
class _Reading:
    """One signal's settings while they are looked up."""

    signal: Signal
    traits: OtelExport
    environ: Mapping[str, str]
    warnings: list[str] = field(default_factory=list)

    def settings(self) -> ExportSettings:
        protocol = self.protocol()
        url = self.url(protocol)
        kind = self.kind(url)
        headers = self.headers()
        endpoint = self.endpoint(url, protocol) if kind == "otlp" else ""
        if url is not None and endpoint:
            self.warn_of_plain_text(url, headers)
        return ExportSettings(
            kind=kind,
            endpoint=endpoint,
            endpoint_setting=url.setting if url else "OtelExport.endpoint",
            protocol=protocol,
            headers=headers,
            headers_file=self.traits.headers_file,
            compression=self.compression(),
            timeout_s=self.timeout_s(),
            certificate_file=self.file("certificate_file", "CERTIFICATE"),
            client_certificate_file=self.file(
                "client_certificate_file", "CLIENT_CERTIFICATE"
            ),
            client_key_file=self.file("client_key_file", "CLIENT_KEY"),
            directory=self.traits.directory,
            max_file_bytes=self.traits.max_file_mib * _MIB,
            hold_on_auth_error=self.traits.hold_on_auth_error,
        )

    def trait(self, name: str) -> tuple[Any, str]:
        """Return a trait's value, the signal's own first, and its name."""
        for full in (f"{self.signal}_{name}", name):
            value = getattr(self.traits, full, None)
            if value is not None:
                return value, f"OtelExport.{full}"
        return None, ""

    def variables(self, name: str) -> list[tuple[str, str]]:
        """Return the variables that are set and their values, the signal's first."""
        forms = (f"{self.signal.upper()}_{name}", name)
        named = [f"OTEL_EXPORTER_OTLP_{form}" for form in forms]
        values = ((variable, self.environ.get(variable, "")) for variable in named)
        return [
            (variable, value.strip()) for variable, value in values if value.strip()
        ]

    def read(self, name: str, read: Callable[[str], _T], rule: str) -> _T | None:
        """Return the first variable that can be used; warn of those that cannot."""
        for variable, text in self.variables(name):
            try:
                return read(text)
            except ValueError as error:
                why = str(error) or f"got {text!r}"
                self.warnings.append(
                    f"{variable} must be {rule}, {why}. It is ignored."
                )
        return None

    def protocol(self) -> Literal["http/protobuf", "http/json", "grpc"]:
        value, _ = self.trait("protocol")
        value = value or self.read(
            "PROTOCOL",
            _one_of("http/protobuf", "http/json", "grpc"),
            "one of http/protobuf, http/json, grpc",
        )
        return value or "http/protobuf"

    def compression(self) -> Literal["none", "gzip", "deflate"]:
        value, _ = self.trait("compression")
        value = value or self.read(
            "COMPRESSION",
            _one_of("none", "gzip", "deflate"),
            "one of none, gzip, deflate",
        )
        return value or "none"

    def timeout_s(self) -> float:
        value, _ = self.trait("timeout_s")
        value = value or self.read("TIMEOUT", _seconds, "a number of seconds above 0")
        return value or _DEFAULT_TIMEOUT_S

    def headers(self) -> Mapping[str, str]:
        value, _ = self.trait("headers")
        if value is None:
            value = self.read(
                "HEADERS", _headers, "name=value pairs with commas between"
            )
        return value or {}

    def file(self, trait: str, variable: str) -> Path | None:
        value, _ = self.trait(trait)
        return value or self.read(variable, _readable, "a file that can be read")

    def url(self, protocol: str) -> _Url | None:
        """Return the endpoint that somebody set, trait or variable."""
        text, setting = self.trait("endpoint")
        if text:
            return _Url(text, setting, whole=setting != "OtelExport.endpoint")
        for variable, value in self.variables("ENDPOINT"):
            url = self.plain_grpc_url(value) if protocol == "grpc" else value
            cure = url_complaint(url)
            if cure is None:
                return _Url(
                    url, variable, whole=variable != "OTEL_EXPORTER_OTLP_ENDPOINT"
                )
            self.warnings.append(
                f"{variable} must be a URL that begins with http:// or https://, got "
                f"{without_credentials(url)!r}. It is ignored. {cure}"
            )
        return None

    def plain_grpc_url(self, text: str) -> str:
        """Return a gRPC target with the scheme that OTEL_*_INSECURE means."""
        if "://" in text:
            return text
        insecure = self.read("INSECURE", _boolean, "true or false")
        return f"{'http' if insecure else 'https'}://{text}"

    def kind(self, url: _Url | None) -> Literal["otlp", "console", "none", "directory"]:
        """Return the kind of exporter: asked for, else what the endpoint means."""
        asked = self.exporter()
        if asked is not None:
            return asked
        return "directory" if url is None else "otlp"

    def exporter(self) -> Literal["otlp", "console", "none"] | None:
        variable = f"OTEL_{self.signal.upper()}_EXPORTER"
        words = [
            word.strip().lower() for word in self.environ.get(variable, "").split(",")
        ]
        known = []
        for word in filter(None, words):
            if word in {"otlp", "console", "none"}:
                known.append(word)
                continue
            self.warnings.append(
                f"{variable} must be otlp, console or none, got {word!r}. "
                "It is ignored."
            )
        if len(known) > 1:
            self.warnings.append(
                f"{variable} must name one exporter, got {', '.join(known)}. "
                f"{known[0]} is used; a Collector sends to several places."
            )
        return cast("Literal['otlp', 'console', 'none']", known[0]) if known else None

    def endpoint(self, url: _Url | None, protocol: str) -> str:
        """Return the whole URL to send to."""
        if url is None:
            url = _Url(f"http://localhost:{_default_port(protocol)}", "", whole=False)
        self.warn_of_port(url, protocol)
        if protocol == "grpc":
            return self.grpc_endpoint(url)
        if url.whole:
            self.warn_of_no_path(url)
            return url.text
        self.warn_of_path(url)
        parts = urlsplit(url.text)
        path = f"{parts.path.rstrip('/')}/v1/{self.signal}"
        return urlunsplit(parts._replace(path=path))

    def grpc_endpoint(self, url: _Url) -> str:
        parts = urlsplit(url.text)
        if parts.path.strip("/"):
            self.warnings.append(
                f"{url.setting} has a path, {parts.path!r}, which gRPC does not use. "
                "Remove it, or set the protocol to http/protobuf."
            )
        return f"{parts.scheme}://{parts.netloc}"

    def warn_of_port(self, url: _Url, protocol: str) -> None:
        grpc = protocol == "grpc"
        wrong = _HTTP_PORT if grpc else _GRPC_PORT
        if urlsplit(url.text).port != wrong:
            return
        other = "http/protobuf" if grpc else "grpc"
        self.warnings.append(
            f"{url.setting} has port {wrong}, where receivers speak {other}, but the "
            f"protocol is {protocol}. Use port {_default_port(protocol)}, or set the "
            f"protocol to {other}."
        )

    def warn_of_plain_text(self, url: _Url, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url.text)
        if parts.scheme == "https" or _LOOPBACK.fullmatch(parts.hostname or ""):
            return
        secret = any(_SECRET.search(name) for name in headers)
        if secret or parts.username or self.traits.headers_file:
            self.warnings.append(
                f"{url.setting} is plain http://, and credentials go with each "
                "request, for everybody on the way to read. Use https://."
            )

    def warn_of_no_path(self, url: _Url) -> None:
        if not urlsplit(url.text).path.strip("/"):
            base = without_credentials(url.text).rstrip("/")
            self.warnings.append(
                f"{url.setting} has no path, and is used as it is. Most receivers take "
                f"{self.signal} at {base}/v1/{self.signal}."
            )

    def warn_of_path(self, url: _Url) -> None:
        found = _SIGNAL_PATH.search(urlsplit(url.text).path)
        if found is None:
            return
        base = without_credentials(url.text)[: -len(found[0])]
        self.warnings.append(
            f"{url.setting} ends with {found[0]}, and /v1/logs, /v1/traces or "
            f"/v1/metrics is added to it. Set it to {base}."
        )


def _default_port(protocol: str) -> int:
    return _GRPC_PORT if protocol == "grpc" else _HTTP_PORT


def _one_of(*words: str) -> Callable[[str], Any]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    return read


def _boolean(text: str) -> bool:
    return bool(_one_of("true", "false")(text) == "true")


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", text) or not float(text):
        raise ValueError
    return float(text)


def _readable(text: str) -> Path:
    path = Path(text)
    if why := unreadable(path):
        raise ValueError(f"got {text!r} ({why})")
    return path


def _headers(text: str) -> dict[str, str]:
    """Read ``name=value,…``, percent-encoded (OTLP exporter specification)."""
    headers = {}
    for number, pair in enumerate(text.split(","), start=1):
        if not pair.strip():
            continue
        name, equals, value = pair.partition("=")
        name, value = unquote(name.strip()).lower(), unquote(value.strip())
        if not equals or not is_header(name, value):
            raise ValueError(f"but number {number} is none")
        headers[name] = value
    return headers
