"""Checks of what kernels get for their own OpenTelemetry data."""

from collections.abc import Iterator, Mapping
from typing import Any

from requests.utils import get_environ_proxies
from traitlets.config import Config

from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.config import Settings

_HERE = "http://127.0.0.1/otel"
_OWN_RECEIVER = (
    "Give kernels a receiver of their own: OTEL_EXPORTER_OTLP_ENDPOINT in the env of "
    "their kernelspec."
)


def check_kernels(settings: Settings, config: Config) -> Iterator[Finding]:
    """Say whether kernels can send spans where they are meant to go.

    Args:
        settings: Of ours.
        config: Of the server, too.
    """
    if settings.policy.level == "none":
        return
    if settings.sources.otlp_relay:
        yield from _check_relay(config)
    elif settings.traces.kernel == "spans":
        what = "OtelTraces.kernel is spans, and nothing takes the spans of kernels"
        cure = f"Set c.OtelSources.otlp_relay = True. {_OWN_RECEIVER}"
        yield Finding("kernels", State.WARNING, what, cure)


def _check_relay(config: Config) -> Iterator[Finding]:
    problems = list(_problems(config))
    yield from problems
    if not problems:
        what = "OtelSources.otlp_relay is on: kernels here find it in their environment"
        yield Finding("kernels", State.OK, what)


def _problems(config: Config) -> Iterator[Finding]:
    server, gateway = _section(config, "ServerApp"), _section(config, "GatewayClient")
    if server.get("sock") or server.get("client_ca"):
        name = "sock" if server.get("sock") else "client_ca"
        what = f"ServerApp.{name} is set: no OpenTelemetry SDK reaches such a relay"
        yield Finding("kernels", State.WARNING, what, _OWN_RECEIVER)
    elif server.get("certfile"):
        what = (
            "kernels check the relay's certificate against ServerApp.certfile, under "
            "the name in ServerApp.ip (127.0.0.1 if it is empty)"
        )
        cure = "Have the certificate name that host as a subjectAltName."
        yield Finding("kernels", State.NOTE, what, cure)
    if gateway.get("url"):
        what = "kernels run behind a gateway, which does not tell them of the relay"
        yield Finding("kernels", State.WARNING, what, _OWN_RECEIVER)
    if get_environ_proxies(_HERE):
        what = "HTTP_PROXY is set: SDKs in kernels send to the proxy, not to the relay"
        cure = "Name this machine in the server's environment: NO_PROXY=127.0.0.1."
        yield Finding("kernels", State.WARNING, what, cure)


def _section(config: Config, name: str) -> Mapping[str, Any]:
    section = config.get(name)
    return section if isinstance(section, Mapping) else {}
