"""An OTLP/gRPC receiver on loopback: records what comes and fails as scripted.

Needs the extra ``jupyter-otel[grpc]``.
"""

import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import grpc  # type: ignore[import-untyped]
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from jupyter_otel.export.services import SERVICES
from jupyter_otel.tally import Signal
from jupyter_otel.testing.received import Inbox, Received


@dataclass(frozen=True, slots=True)
class GrpcAnswer:
    """How one call is answered."""

    code: str = "OK"
    """A gRPC status code's name."""
    retry_s: float | None = None
    """A ``RetryInfo`` in the status details."""
    rejected: int = 0
    """Records that ``partial_success`` refuses."""
    message: str = ""
    wait_for: threading.Event | None = None
    """Answer only once this is set: a receiver that hangs."""


class GrpcReceiver:
    """Listens on a free port of 127.0.0.1 while used as a context manager.

    Args:
        answers: One for each call, in order; afterwards every call is taken.
        port: A fixed port, to come back where one was before; 0: a free one.
        credentials: A server's `grpc.ServerCredentials`, for TLS.
    """

    def __init__(
        self,
        answers: Iterable[GrpcAnswer] = (),
        *,
        port: int = 0,
        credentials: Any = None,
    ) -> None:
        self.inbox = Inbox()
        self._answers = deque(answers)
        self._server = grpc.server(ThreadPoolExecutor(8))
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server(  # type: ignore[no-untyped-call]
            _Servicer(self, Signal.LOGS), self._server
        )
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(  # type: ignore[no-untyped-call]
            _Servicer(self, Signal.TRACES), self._server
        )
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(  # type: ignore[no-untyped-call]
            _Servicer(self, Signal.METRICS), self._server
        )
        self._scheme = "http" if credentials is None else "https"
        address = f"127.0.0.1:{port}"
        self.port: int = (
            self._server.add_insecure_port(address)
            if credentials is None
            else self._server.add_secure_port(address, credentials)
        )

    @property
    def url(self) -> str:
        """The endpoint of every signal."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def next_answer(self) -> GrpcAnswer:
        """Return how the next call is to be answered."""
        try:
            return self._answers.popleft()
        except IndexError:
            return GrpcAnswer()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop(grace=None).wait(10)


class _Servicer:
    def __init__(self, receiver: GrpcReceiver, signal: Signal) -> None:
        self._receiver = receiver
        self._signal = signal

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        answer = self._receiver.next_answer()
        headers = {key: str(value) for key, value in context.invocation_metadata()}
        received = Received(self._signal, headers, request, answer.code)
        self._receiver.inbox.put(received)
        if answer.wait_for is not None:
            answer.wait_for.wait(60)
        if answer.code != "OK":
            self._fail(answer, context)
        service = SERVICES[self._signal]
        response = service.response()
        if answer.rejected or answer.message:
            partial = response.partial_success
            setattr(partial, service.rejected_field, answer.rejected)
            partial.error_message = answer.message
        return response

    def _fail(self, answer: GrpcAnswer, context: Any) -> None:
        code = grpc.StatusCode[answer.code]
        if answer.retry_s is not None:
            status = status_pb2.Status(code=code.value[0])
            seconds, part = divmod(answer.retry_s, 1)
            delay = Duration(seconds=int(seconds), nanos=round(part * 1e9))
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
            details = status.SerializeToString()
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
        context.abort(code, "as scripted")
