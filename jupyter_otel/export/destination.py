"""The seam between the sender and whatever takes its requests, and how one is opened.

The libraries that a destination needs are imported only when it is opened.
"""

from typing import Protocol

from jupyter_otel.errors import ConfigError
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Verdict
from jupyter_otel.tally import Signal


class Destination(Protocol):
    """Takes one signal's requests. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """Where requests go, for people, without credentials."""

    @property
    def max_request_bytes(self) -> int:
        """The largest request to hand over, uncompressed."""

    def send(self, request: bytes, records: int) -> Verdict:
        """Hand over a serialized request of so many records. Never raises."""

    def close(self) -> None:
        """Let connections go. Nothing is sent afterwards."""


def open_destination(signal: Signal, settings: ExportSettings) -> Destination:
    """Return where one signal's requests go.

    Raises:
        ConfigError: A setting cannot be used; nothing is left open.
    """
    # Each branch imports for itself: requests, grpc and protobuf cost start-up time
    # in processes that need another one, or none.
    match settings.kind:
        case "console":
            from jupyter_otel.export.console import Console  # noqa: PLC0415

            return Console(signal)
        case "directory":
            return _open_directory(signal, settings)
        case "none":
            from jupyter_otel.export.nowhere import Nowhere  # noqa: PLC0415

            return Nowhere()
        case "otlp":
            return _open_otlp(signal, settings)


def _open_directory(signal: Signal, settings: ExportSettings) -> Destination:
    from jupyter_otel.export.json_lines import JsonLines  # noqa: PLC0415

    if settings.directory is None:
        raise ConfigError(
            "OtelExport.directory must be a directory, got none. Name one."
        )
    return JsonLines(signal, settings.directory, max_file_bytes=settings.max_file_bytes)


def _open_otlp(signal: Signal, settings: ExportSettings) -> Destination:
    if settings.protocol == "grpc":
        from jupyter_otel.export.otlp_grpc import open_grpc  # noqa: PLC0415

        return open_grpc(signal, settings)
    from jupyter_otel.export.otlp_http import HttpDestination  # noqa: PLC0415

    return HttpDestination(signal, settings)
