"""Checks of the way to a receiver: name, port, TLS, path, credentials, clock.

Each step only where the one before succeeded. The last one sends a request without
records through the exporter itself, so that it is judged as data would be.
"""

import email.utils
import http.client
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.config import Settings
from jupyter_otel.environment import export_settings, metrics_enabled
from jupyter_otel.errors import ConfigError
from jupyter_otel.export.destination import Destination, open_destination
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Rejected, Retry
from jupyter_otel.tally import Signal

_TIMEOUT_S = 5.0
_MOST_SKEW_S = 30


class _Host(NamedTuple):
    name: str
    port: int
    tls: bool


def check_destinations(settings: Settings) -> Iterator[Finding]:
    """Check where each signal goes; what was found of one is not said again."""
    told: set[tuple[State, str]] = set()
    for signal in (Signal.LOGS, Signal.TRACES, Signal.METRICS):
        for finding in _check_destination(signal, settings):
            about_all = finding.check == "clock" or finding.state is State.WARNING
            if about_all and (finding.state, finding.what) in told:
                continue
            told.add((finding.state, finding.what))
            yield finding


def _check_destination(signal: Signal, settings: Settings) -> Iterator[Finding]:
    check = signal.value
    if why := _why_not_sent(signal, settings):
        yield Finding(check, State.NOTE, why)
        return
    export, warnings = export_settings(signal, settings.export)
    yield from (Finding(check, State.WARNING, warning) for warning in warnings)
    match export.kind:
        case "none":
            what = f"OTEL_{signal.upper()}_EXPORTER is none: nothing is sent"
            yield Finding(check, State.WARNING, what, "Unset that variable.")
        case "console":
            yield Finding(check, State.OK, "are printed on the console")
        case "directory":
            yield _check_directory(signal, Path(export.directory or ""))
        case "otlp":
            yield from _check_receiver(signal, export)


def _why_not_sent(signal: Signal, settings: Settings) -> str | None:
    if signal is Signal.TRACES and not settings.traces.enabled:
        return "OtelTraces.enabled is False: no spans"
    is_asked_for = settings.sources.otlp_relay or metrics_enabled(
        settings.metrics.enabled
    )
    if signal is Signal.METRICS and not is_asked_for:
        return "neither OtelMetrics.enabled nor OTEL_METRICS_EXPORTER asks for any"
    return None


def _check_directory(signal: Signal, directory: Path) -> Finding:
    parents = (directory, *directory.absolute().parents)
    place = next(parent for parent in parents if parent.exists())
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        what = f"are written to {directory}, as {_why_no_endpoint(signal)}"
        return Finding(signal, State.OK, what)
    what = f"OtelExport.directory {directory} cannot be written"
    return Finding(signal, State.FAILED, what, "Name one that this account owns.")


def _why_no_endpoint(signal: Signal) -> str:
    names = (
        f"OTEL_EXPORTER_OTLP_{form}ENDPOINT" for form in (f"{signal.upper()}_", "")
    )
    # One that could be used would be an endpoint.
    ignored = [name for name in names if os.environ.get(name, "").strip()]
    return (
        f"{' and '.join(ignored)} cannot be used" if ignored else "no endpoint is set"
    )


def _check_receiver(signal: Signal, export: ExportSettings) -> Iterator[Finding]:
    try:
        destination = open_destination(signal, export)
    except ConfigError as error:
        yield Finding(signal, State.FAILED, str(error))
        return
    with closing(destination):
        yield from _check_way(signal, export, destination)


def _check_way(
    signal: Signal, export: ExportSettings, destination: Destination
) -> Iterator[Finding]:
    url = urlsplit(export.endpoint)
    tls = url.scheme == "https"
    host = _Host(url.hostname or "", url.port or (443 if tls else 80), tls)
    proxied = url.scheme in getproxies() and not proxy_bypass(host.name)
    if proxied:
        what = f"a proxy variable leads requests for {host.name} elsewhere"
        yield Finding(signal, State.NOTE, what, f"If not meant: NO_PROXY={host.name}")
    elif failure := _check_connection(signal, host, export):
        yield failure
        return
    yield _check_request(signal, export, destination)
    if not proxied and export.protocol != "grpc":
        yield from _check_clock(host)


def _check_connection(
    signal: Signal, host: _Host, export: ExportSettings
) -> Finding | None:
    """Return what stands in the way of a connection."""
    try:
        socket.getaddrinfo(host.name, host.port)
    except OSError as error:
        what = f"no address for the host {host.name} ({error.strerror or error})"
        cure = f"Correct the host in {export.endpoint_setting}, or this machine's DNS."
        return Finding(signal, State.FAILED, what, cure)
    try:
        _connect(host, export)
    except ssl.SSLError as error:
        return _tls_failure(signal, host, error)
    except OSError as error:
        why = error.strerror or type(error).__name__
        what = f"no connection to {host.name} port {host.port} ({why})"
        return Finding(signal, State.FAILED, what, _other_port(host, export))
    return None


def _connect(host: _Host, export: ExportSettings) -> None:
    with socket.create_connection((host.name, host.port), _TIMEOUT_S) as connection:
        if not host.tls:
            return
        context = ssl.create_default_context(cafile=export.certificate_file)
        if export.client_certificate_file is not None:
            context.load_cert_chain(
                export.client_certificate_file, export.client_key_file
            )
        context.wrap_socket(connection, server_hostname=host.name).close()


def _tls_failure(signal: Signal, host: _Host, error: ssl.SSLError) -> Finding:
    what = f"no TLS with {host.name} port {host.port} ({error.reason or error})"
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"the certificate of {host.name} is not trusted ({error.verify_message})"
        cure = "Name the authority's PEM file in OtelExport.certificate_file."
    else:
        cure = "If the receiver speaks plain HTTP there, write http:// in the endpoint."
    return Finding(signal, State.FAILED, what, cure)


def _other_port(host: _Host, export: ExportSettings) -> str:
    """Say whether the receiver listens on a usual port, of this protocol first."""
    grpc, setting = export.protocol == "grpc", export.endpoint_setting
    usual = {4317: "grpc", 4318: "http/protobuf"}
    for port in sorted(usual, reverse=not grpc):
        if port == host.port or not _listens(host.name, port):
            continue
        if (usual[port] == "grpc") is grpc:
            return f"Something listens on port {port}: write that port in {setting}."
        return (
            f"Something listens on port {port}: use that port with OtelExport.protocol "
            f"= {usual[port]!r}, or open {host.port} on the receiver."
        )
    return f"Start the receiver, or correct host and port in {setting}."


def _listens(name: str, port: int) -> bool:
    try:
        socket.create_connection((name, port), 1.0).close()
    except OSError:
        return False
    return True


def _check_request(
    signal: Signal, export: ExportSettings, destination: Destination
) -> Finding:
    """Send a request without records and say what became of it."""
    verdict = destination.send(b"", 0)
    if isinstance(verdict, Retry | Rejected):
        cure = "Check protocol, port and path of the endpoint, and the receiver's log."
        return Finding(signal, State.FAILED, verdict.why, cure)
    what = f"{destination.name} takes OTLP by {export.protocol}"
    return Finding(signal, State.OK, what)


def _check_clock(host: _Host) -> Iterator[Finding]:
    """Compare this clock with that of the receiver, where it tells its time."""
    kind = http.client.HTTPSConnection if host.tls else http.client.HTTPConnection
    try:
        with closing(kind(host.name, host.port, timeout=_TIMEOUT_S)) as connection:
            connection.request("HEAD", "/")
            date = connection.getresponse().getheader("Date") or ""
        there_s = email.utils.parsedate_to_datetime(date).timestamp()
    except (OSError, ValueError, http.client.HTTPException):
        return
    skew_s = round(time.time() - there_s)
    if abs(skew_s) > _MOST_SKEW_S:
        what = (
            f"this machine is {abs(skew_s)} s {'ahead of' if skew_s > 0 else 'behind'}"
        )
        cure = "Set the clocks by NTP: records are ordered by time."
        yield Finding("clock", State.WARNING, f"{what} {host.name}", cure)
        return
    yield Finding("clock", State.OK, f"agrees with that of {host.name}")
