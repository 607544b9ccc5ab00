"""What an exporter is told: plain values, whoever set them.

One `ExportSettings` a signal. How traits and variables become one is
``environment.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Where and how one signal is sent."""

    kind: Literal["otlp", "console", "none", "directory"]
    endpoint: str
    """The whole URL; for ``grpc`` scheme, host and port. Empty unless ``otlp``."""
    protocol: Literal["http/protobuf", "http/json", "grpc"]
    headers: Mapping[str, str]
    headers_file: Path | None
    compression: Literal["none", "gzip", "deflate"]
    timeout_s: float
    certificate_file: Path | None
    client_certificate_file: Path | None
    client_key_file: Path | None
    directory: Path | None
    max_file_bytes: int
    hold_on_auth_error: bool
