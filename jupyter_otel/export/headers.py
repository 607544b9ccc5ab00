"""The headers a user sends along, from settings and from a file."""

import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from jupyter_otel.errors import ConfigError

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read_headers_file(path: Path) -> dict[str, str]:
    """Return the headers in a file: one ``name=value`` or ``name: value`` a line.

    Empty lines and those that begin with ``#`` are skipped.

    Raises:
        ConfigError: It cannot be read, or a line is neither.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"OtelExport.headers_file must be a text file that can be read, got "
            f"{str(path)!r} ({type(error).__name__}). Correct the path."
        ) from error
    headers = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, value = _header(line, f"{path}:{number}")
            headers[name] = value
    return headers


def _header(line: str, place: str) -> tuple[str, str]:
    match = re.match(r"\s*([^:=\s]+)\s*[:=]\s*(.*?)\s*$", line)
    if match is None:
        raise ConfigError(
            f"OtelExport.headers_file must hold name=value lines, {place} is none. "
            "Write for example authorization=Bearer TOKEN."
        )
    return match[1], match[2]


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers that can be sent; a value is never part of a message.

    Raises:
        ConfigError: A name is no HTTP token, or a value has a line break or is not
            Latin-1.
    """
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ConfigError(
                f"OtelExport.headers must have HTTP header names, got {name!r}. "
                "Use letters, digits and hyphens."
            )
        if not re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", value):
            raise ConfigError(
                f"OtelExport.headers[{name!r}] must be one line of Latin-1 text, "
                "got something else. Remove line breaks from it."
            )
    return dict(headers)


def basic_authorization(userinfo: str) -> str:
    """Return the ``Authorization`` value of ``user:password`` out of a URL."""
    return "Basic " + b64encode(unquote(userinfo).encode()).decode("ascii")
