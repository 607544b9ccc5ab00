"""``POST otel/v1/{logs,traces,metrics}``: OTLP/HTTP from this server's own kernels.

Outside Jupyter's sign-in, on purpose: a kernel's token opens this and nothing else, and
neither a cookie nor the server's token opens it. No request counts as activity. What
is heavy runs beside the event loop, on one thread.

::

    headers ─ 401 415 413 429 ─▶ body, bounded ─ 413 ─▶ thread: read ▸ stamp ▸ spool
                                                        400 413 │ 200, partial success
"""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import orjson
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from jupyter_otel.complaints import Complaints
from jupyter_otel.event import ACCOUNT, Person
from jupyter_otel.export.otlp_json import message_to_dict
from jupyter_otel.export.services import SERVICES
from jupyter_otel.exporters.relayed import GROUP, Relayed
from jupyter_otel.hosts.server.kernel_users import KernelUsers, noting
from jupyter_otel.hosts.server.people import People
from jupyter_otel.hosts.server.relay_kernels import (
    TOKEN_HEADER,
    RelayKernel,
    RelayKernels,
    RelayVariables,
    relay_endpoint,
)
from jupyter_otel.sources.otlp_bodies import (
    JSON,
    MAX_BYTES,
    PROTOBUF,
    Refused,
    read_encoding,
    read_requests,
    read_type,
)
from jupyter_otel.tally import Signal
from jupyter_otel.telemetry import Telemetry

MAX_HELD_BYTES = 4 * MAX_BYTES
"""Of all requests together, as they come in and until they are answered."""
BODY_S = 10.0
"""How long a body may take: longer, and one kernel that is slow on purpose could hold
all of that for good, for all that `BYTES_PER_S` allows it."""
_REQUEST_BYTES = 4096
"""What a request counts as at least."""
_REFUSED_BYTES = 2**18
"""What a body counts as, besides its size, that was unpacked or read in vain."""
_JSON_FACTOR = 4
"""What a byte counts as that came as JSON, for it takes longer to read."""

_CONNECTION_CLASS = "kernel_websocket_connection_class"
_BUSY = 503
_CODES = {400: 3, 401: 16, 413: 3, 415: 3, 429: 8, _BUSY: 14}
"""HTTP's statuses as gRPC's codes, which OTLP's errors carry."""
_NO_CONSENT = (
    "Not everybody who uses this kernel allows this server to pass on OpenTelemetry "
    f"data of theirs (consent group {GROUP})."
)


class Body(NamedTuple):
    """A request's body, and what its headers say of it."""

    signal: Signal
    text: bytes
    content_type: str
    encoding: str


class Relay:
    """Takes what kernels send.

    Args:
        relayed: Returns where it goes; None: not any more.
        kernels: Those that may send.
    """

    def __init__(
        self, relayed: Callable[[], Relayed | None], kernels: RelayKernels
    ) -> None:
        self.kernels = kernels
        self.complaints = Complaints()
        self._relayed = relayed
        self._held_bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jupyter_otel-relay")

    async def take(self, kernel: RelayKernel, body: Body) -> Any:
        """Return the response to a request, or why it is `Refused`."""
        people = frozenset(kernel.people)  # of now: the thread has no lock on it
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._thread, partial(self._take, kernel, people, body))

    def hold(self, size: int) -> bool:
        """Return whether so many bytes more may be held, which then counts."""
        if self._held_bytes + size > MAX_HELD_BYTES:
            return False
        self._held_bytes += size
        return True

    def release(self, size: int) -> None:
        """Take back that so many bytes are held."""
        self._held_bytes -= size

    def _take(self, kernel: RelayKernel, people: frozenset[Person], body: Body) -> Any:
        signal, text, content_type, encoding = body
        relayed = self._relayed()
        if relayed is None:
            return Refused(_BUSY, "This server passes nothing on any more.")
        requests = read_requests(
            signal, text, content_type=content_type, encoding=encoding
        )
        if isinstance(requests, Refused):
            kernel.allowance.charge(_REFUSED_BYTES)
            return requests
        size = sum(request.ByteSize() for request in requests)
        size *= _JSON_FACTOR if content_type == JSON else 1
        kernel.allowance.charge(max(size - len(text), 0))
        rejected = relayed.put(signal, requests, people, kernel.id)
        if rejected is None:
            return Refused(400, "Trace ids have 16 bytes, span ids have 8.")
        return _response(signal, rejected)


def _response(signal: Signal, rejected: int) -> Any:
    service = SERVICES[signal]
    response = service.response()
    if rejected:
        setattr(response.partial_success, service.rejected_field, rejected)
        response.partial_success.error_message = _NO_CONSENT
    return response


@web.stream_request_body
class RelayHandler(web.RequestHandler):
    """Answers one signal's requests."""

    _track_activity = False

    def initialize(self, relay: Relay, signal: Signal) -> None:
        """Take what the route gives."""
        self._relay = relay
        self._signal = signal
        self._chunks: list[bytes] = []
        self._held_bytes = 0
        self._refused: Refused | None = None
        """Known before the body is read to its end, said after it: a client that
        still sends would not hear it."""

    def check_xsrf_cookie(self) -> None:
        """Pass: what opens this is in no cookie, and no browser adds it by itself."""

    def prepare(self) -> None:
        """Judge the request by its headers."""
        headers = self.request.headers
        content_type = read_type(headers.get("Content-Type", ""))
        encoding = read_encoding(headers.get("Content-Encoding", ""))
        self._content_type = content_type or PROTOBUF
        kernel = self._relay.kernels.find(headers.get(TOKEN_HEADER, ""))
        if kernel is None:
            self.set_header("WWW-Authenticate", TOKEN_HEADER)
            self._refuse(Refused(401, "This takes a running kernel's token."))
            return
        self._kernel, self._encoding = kernel, encoding or ""
        connection: Any = self.request.connection  # tornado types it as less
        connection.set_body_timeout(BODY_S)
        if content_type is None or encoding is None:
            self._refused = Refused(
                415, f"Send {PROTOBUF} or {JSON}, as it is or gzip."
            )
        else:
            stated = headers.get("Content-Length")
            self._is_charged = stated is not None
            self._refused = self._charge(int(stated or 0) + _REQUEST_BYTES)

    def data_received(self, chunk: bytes) -> None:
        """Keep a part of the body, while it may still be taken."""
        if self._refused is None:
            self._refused = self._objection(len(chunk))
        if self._refused is not None:
            self._drop()
            return
        self._held_bytes += len(chunk)
        self._chunks.append(chunk)

    def on_finish(self) -> None:
        """Hold nothing any more."""
        self._drop()

    def on_connection_close(self) -> None:
        """Hold nothing of what will not come to its end."""
        super().on_connection_close()
        self._drop()

    def _objection(self, size: int) -> Refused | None:
        """Return why so much more of the body is not taken; if it is, it counts."""
        if self._held_bytes + size > MAX_BYTES:
            return _TOO_LARGE
        refused = None if self._is_charged else self._charge(size)
        if refused is None and not self._relay.hold(size):
            return Refused(_BUSY, "The server is busy with other kernels' requests.")
        return refused

    def _charge(self, size: int) -> Refused | None:
        """Charge the kernel with bytes; return why not."""
        if size > MAX_BYTES + _REQUEST_BYTES:
            return _TOO_LARGE
        if self._kernel.allowance.wait_s():
            return Refused(429, "This kernel sends too much: wait.")
        self._kernel.allowance.charge(size)
        return None

    def _drop(self) -> None:
        self._chunks.clear()
        self._relay.release(self._held_bytes)
        self._held_bytes = 0

    @allow_unauthenticated
    async def post(self) -> None:
        """Pass the request on, and answer as OTLP says."""
        text = b"".join(self._chunks)
        self._chunks.clear()
        body = Body(self._signal, text, self._content_type, self._encoding)
        answer = self._refused or await self._relay.take(self._kernel, body)
        if isinstance(answer, Refused):
            self._refuse(answer)
        else:
            self._answer(answer)

    def _refuse(self, refused: Refused) -> None:
        status, text = refused
        self._relay.complaints.say(
            f"relay {status}", f"A request to the relay for kernels got a {status}."
        )
        self.set_status(status)
        if status in (429, _BUSY):
            wait_s = self._kernel.allowance.wait_s()
            self.set_header("Retry-After", str(max(math.ceil(wait_s), 1)))
        self._answer(Status(code=_CODES[status], message=text))

    def _answer(self, message: Any) -> None:
        self.set_header("Content-Type", self._content_type)
        if self._content_type == JSON:
            self.finish(orjson.dumps(message_to_dict(message)))
        else:
            self.finish(message.SerializeToString())


_TOO_LARGE = Refused(413, f"A request may have {MAX_BYTES} bytes.")


def open_relay(serverapp: Any, telemetry: Telemetry) -> RelayVariables | None:
    """Answer kernels of a server from now on; return what gives them their tokens.

    Raises:
        ConfigError: A signal cannot be sent to where the settings say.
    """
    relayed, choices = telemetry.relayed, telemetry.choices
    if relayed is None or choices is None:
        return None
    relayed.open()
    choices.collect_also(GROUP)
    people = People(serverapp.identity_provider)
    kernels = RelayKernels(
        serverapp.kernel_manager,
        partial(relay_endpoint, serverapp),
        serverapp.certfile,
        lambda: people.attribution().person or ACCOUNT,
    )
    settings = serverapp.web_app.settings
    users = KernelUsers(kernels.join, people.person)
    settings[_CONNECTION_CLASS] = noting(settings[_CONNECTION_CLASS], users)
    relay = Relay(lambda: telemetry.relayed, kernels)
    base_url = settings["base_url"]
    routes = [
        (
            f"{base_url}otel/v1/{signal.value}",
            RelayHandler,
            {"relay": relay, "signal": signal},
        )
        for signal in Signal
    ]
    serverapp.web_app.add_handlers(".*$", routes)
    return kernels.variables
