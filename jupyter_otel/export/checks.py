"""What is checked of export settings before anything is opened."""

from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from jupyter_otel.errors import ConfigError
from jupyter_otel.export.settings import ExportSettings


def check_endpoint(endpoint: str) -> SplitResult:
    """Return an endpoint, split.

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
            "OtelExport.endpoint must be a URL with http:// or https:// and a host, "
            f"got {shown!r}. Write it like http://localhost:4318."
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
