"""How one signal's records are exported: plain values in base units, whoever set them.

How traits and variables become these is ``environment.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Where one signal goes. What a kind does not use is ignored."""

    kind: Literal["otlp", "console", "none", "directory"]
    endpoint: str = ""
    """The whole URL for HTTP (``…/v1/logs``); ``scheme://host:port`` for gRPC."""
    protocol: Literal["http/protobuf", "http/json", "grpc"] = "http/protobuf"
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_file: Path | None = None
    """One ``name=value`` or ``name: value`` a line; read again when it changes."""
    compression: Literal["none", "gzip", "deflate"] = "none"
    timeout_s: float = 10.0
    certificate_file: Path | None = None
    client_certificate_file: Path | None = None
    client_key_file: Path | None = None
    directory: Path | None = None
    max_file_bytes: int = 64 * 2**20
    hold_on_auth_error: bool = False
    """Whether 401, 403 and 404 keep the data and try again."""
    endpoint_setting: str = "OtelExport.endpoint"
    """The setting or variable that named the endpoint, for messages."""
