"""What is checked of export settings before anything is opened."""

import ssl
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from jupyter_otel.errors import ConfigError
from jupyter_otel.export.settings import ExportSettings


def check_endpoint(endpoint: str, setting: str = "OtelExport.endpoint") -> SplitResult:
    """Return an endpoint, split; ``setting`` is what named it.

    Raises:
        ConfigError: It has no scheme, no host, or a port that is none.
    """
    try:
        url = urlsplit(endpoint)
        port_is_valid = url.port is None or url.port > 0
    except ValueError:
        url, port_is_valid = urlsplit(""), False
    if url.scheme not in {"http", "https"} or not url.hostname or not port_is_valid:
        shown = endpoint.rpartition("@")[2].partition("?")[0]
        raise ConfigError(
            f"{setting} must be a URL with http:// or https:// and a host, got "
            f"{shown!r}. Write it like http://localhost:4318."
        )
    return url


def public_url(endpoint: str) -> str:
    """Return an endpoint without what may be a credential: user info and query."""
    url = urlsplit(endpoint)
    host = url.netloc.rpartition("@")[2]
    return f"{url.scheme}://{host}{url.path}"


def check_files(settings: ExportSettings) -> None:
    """Try every file that the settings name.

    Raises:
        ConfigError: One cannot be read, or only half of a client's pair is named.
    """
    files = {
        "certificate_file": settings.certificate_file,
        "client_certificate_file": settings.client_certificate_file,
        "client_key_file": settings.client_key_file,
        "headers_file": settings.headers_file,
    }
    for name, path in files.items():
        if path is not None:
            _check_readable(name, path)
    if settings.client_key_file and not settings.client_certificate_file:
        raise ConfigError(
            "OtelExport.client_certificate_file must be set with client_key_file, "
            "got none. Name the certificate that belongs to the key."
        )


def _check_readable(name: str, path: Path) -> None:
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise ConfigError(
            f"OtelExport.{name} must be a file that can be read, got {str(path)!r} "
            f"({error.strerror}). Correct the path or its permissions."
        ) from error


def check_tls(settings: ExportSettings) -> None:
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
            f"{str(getattr(settings, name))!r} ({type(error).__name__}). {_PEM[name]}"
        ) from error


_PEM = {
    "certificate_file": "Check that it is PEM, with BEGIN CERTIFICATE lines.",
    "client_certificate_file": (
        "Check that it is PEM, and that client_key_file is its private key."
    ),
}
