"""OTLP over gRPC; needs the extra ``jupyter-otel[grpc]``.

Requests are sent as the bytes that they are, on the method that the official service
definition names. Specification: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc.
"""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from jupyter_otel._version import __version__
from jupyter_otel.errors import ConfigError
from jupyter_otel.export.checks import check_endpoint, check_files, public_url
from jupyter_otel.export.headers import check_headers, read_headers_file
from jupyter_otel.export.retry_after import MAX_WAIT_S
from jupyter_otel.export.services import SERVICES, read_response
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Rejected, Retry, Verdict
from jupyter_otel.export.watched_files import WatchedFiles
from jupyter_otel.tally import Signal

_RETRYABLE = frozenset(
    {
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNAVAILABLE",
        "DATA_LOSS",
    }
)
_AUTH = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND"})
_MAYBE_ONE_CULPRIT = frozenset({"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"})
_CURES = {
    "UNAUTHENTICATED": "set OtelExport.headers or headers_file to valid credentials",
    "PERMISSION_DENIED": "the credentials do not allow this",
    "UNIMPLEMENTED": "the receiver has no such service; check {setting}",
    "UNAVAILABLE": "check that a receiver listens for gRPC at {setting}",
}
_OPTIONS = [
    ("grpc.primary_user_agent", f"jupyter-otel/{__version__}"),
    # Else a channel goes on failing for two minutes after its receiver is back.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5000),
]


def open_grpc(signal: Signal, settings: ExportSettings) -> "GrpcDestination":
    """Return a gRPC destination.

    Raises:
        ConfigError: gRPC is not installed, or a setting cannot be used.
    """
    try:
        # An extra.
        import grpc  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "OtelExport.protocol must be one that is installed, got 'grpc'. "
            "Run pip install 'jupyter-otel[grpc]', or use http/protobuf."
        ) from error
    return GrpcDestination(grpc, signal, settings)


class GrpcDestination:
    """Calls one signal's ``Export`` on a gRPC channel.

    Raises:
        ConfigError: The endpoint, a header or a certificate cannot be used.
    """

    max_request_bytes = 4 * 2**20 - 64 * 1024
    """What receivers take by default, less what the frames around it cost."""

    def __init__(self, grpc: Any, signal: Signal, settings: ExportSettings) -> None:
        check_endpoint(settings.endpoint, settings.endpoint_setting)
        check_files(settings)
        self.name = public_url(settings.endpoint)
        self._grpc = grpc
        self._signal = signal
        self._settings = settings
        self._compression = {
            "none": grpc.Compression.NoCompression,
            "gzip": grpc.Compression.Gzip,
            "deflate": grpc.Compression.Deflate,
        }[settings.compression]
        self._files = WatchedFiles(
            (
                settings.certificate_file,
                settings.client_certificate_file,
                settings.client_key_file,
                settings.headers_file,
            )
        )
        self._open()

    def send(self, request: bytes, records: int) -> Verdict:
        """Call ``Export``; return what its answer means. Never raises."""
        try:
            if self._files.changed():
                old = self._channel
                self._open()
                old.close()
            response = self._export(
                request,
                timeout=self._settings.timeout_s,
                metadata=self._metadata,
                compression=self._compression,
            )
        except ConfigError as error:  # a file was replaced by one that is unfit
            return Retry(None, str(error))
        except OSError as error:
            return Retry(None, f"{type(error).__name__} reading certificates")
        except self._grpc.RpcError as error:
            return self._judge(error)
        return read_response(self._signal, response, records)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _open(self) -> None:
        metadata = _metadata(self._settings)
        self._channel = _channel(self._grpc, self._settings)
        self._metadata = metadata
        service = SERVICES[self._signal]
        self._export = self._channel.unary_unary(
            service.grpc_method,
            request_serializer=None,
            response_deserializer=service.response.FromString,
        )

    def _judge(self, error: Any) -> Verdict:
        code = error.code().name
        cure = _CURES.get(code, "").format(setting=self._settings.endpoint_setting)
        why = f"gRPC {code} from {self.name}" + (f": {cure}" if cure else "")
        wait_s = read_retry_info(error.trailing_metadata() or ())
        if code in _RETRYABLE or (code == "RESOURCE_EXHAUSTED" and wait_s is not None):
            return Retry(wait_s, why)
        if code in _AUTH and self._settings.hold_on_auth_error:
            return Retry(wait_s, why)
        return Rejected(why, split=code in _MAYBE_ONE_CULPRIT)


def read_retry_info(metadata: Sequence[tuple[str, Any]]) -> float | None:
    """Return the seconds of a ``google.rpc.RetryInfo`` in trailing metadata, if any."""
    # Rarely needed, and part of the extra.
    from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]  # noqa: PLC0415

    for key, value in metadata:
        if key != "grpc-status-details-bin":
            continue
        status, info = status_pb2.Status(), error_details_pb2.RetryInfo()
        try:
            status.ParseFromString(value)
            if any(detail.Unpack(info) for detail in status.details):
                delay = info.retry_delay
                wait_s: float = delay.seconds + delay.nanos / 1e9
                return min(max(wait_s, 0.0), MAX_WAIT_S)
        except DecodeError:
            return None
    return None


def _metadata(settings: ExportSettings) -> list[tuple[str, str]]:
    headers = dict(settings.headers)
    if settings.headers_file is not None:
        headers |= read_headers_file(settings.headers_file)
    # gRPC refuses names in capitals.
    return [(name.lower(), value) for name, value in check_headers(headers).items()]


def _channel(grpc: Any, settings: ExportSettings) -> Any:
    url = check_endpoint(settings.endpoint)
    target = url.netloc.rpartition("@")[2]
    if url.port is None:
        target = f"{target}:{443 if url.scheme == 'https' else 4317}"
    if url.scheme == "http":
        return grpc.insecure_channel(target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        _read(settings.certificate_file),
        _read(settings.client_key_file),
        _read(settings.client_certificate_file),
    )
    return grpc.secure_channel(target, credentials, options=_OPTIONS)


def _read(path: Any) -> bytes | None:
    return path.read_bytes() if path is not None else None
