"""What stands between a producer and its collector, for each fault of ``table.py``.

A scene is opened in the stack of one row and returns the way that the row's first
process is to take. Nothing here knows what becomes of records.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import Any, NamedTuple

from jupyter_otel.tally import Signal
from jupyter_otel.testing.certificates import Company
from jupyter_otel.testing.faults import FAULTS
from jupyter_otel.testing.grpc_faults import GRPC_FAULTS
from jupyter_otel.testing.grpc_receiver import GrpcAnswer, GrpcReceiver
from jupyter_otel.testing.http_receiver import Answer, HttpReceiver
from jupyter_otel.testing.proxy import Proxy
from jupyter_otel.testing.received import Received, records_of

HOST = "collector.invalid"
"""A name that nobody resolves but a proxy: RFC 6761."""
NETRC_PASSWORD = "canary-in-a-netrc"  # noqa: S105 - looked for, and good for nothing


class Way(NamedTuple):
    """How a process gets to a collector."""

    url: str
    protocol: str = "http/protobuf"
    certificate_file: str = ""
    environment: Mapping[str, str] = {}
    """Variables beside those that it has."""


class Collector:
    """The receivers of one row.

    Args:
        taken: The statuses of requests that came to stay.
    """

    def __init__(self, taken: frozenset[str]) -> None:
        self._taken = taken
        self._receivers: list[HttpReceiver | GrpcReceiver] = []

    def open(
        self,
        stack: ExitStack,
        answers: Sequence[Answer] = (),
        tls: SSLContext | None = None,
        port: int = 0,
    ) -> HttpReceiver:
        """Listen; where no port is named, on one that is free."""
        receiver = stack.enter_context(HttpReceiver(answers, port=port, tls=tls))
        self._receivers.append(receiver)
        return receiver

    def open_grpc(
        self, stack: ExitStack, answers: Sequence[GrpcAnswer] = ()
    ) -> GrpcReceiver:
        """Listen for gRPC."""
        receiver = stack.enter_context(GrpcReceiver(answers))
        self._receivers.append(receiver)
        return receiver

    def numbers(self) -> Counter[int]:
        """Return how often each event has come to stay."""
        return Counter(
            number
            for received in self._requests()
            if received.signal is Signal.LOGS and received.status in self._taken
            for record in records_of(Signal.LOGS, received.message)
            for number in _numbers(record)
        )

    def credentials(self) -> set[str]:
        """Return the ``Authorization`` of all that came, empty where there was none."""
        return {each.headers.get("authorization", "") for each in self._requests()}

    def _requests(self) -> Iterator[Received]:
        for receiver in self._receivers:
            yield from receiver.inbox.requests()


def _numbers(record: Any) -> list[int]:
    """Return the event's number; none of a stranger's that met a port used before."""
    values = [a.value for a in record.attributes if a.key == "jupyter.event.n"]
    return [int(value.int_value) for value in values]


Scene = Callable[[Collector, ExitStack, Path], Way]


def _http(
    answers: Sequence[Answer], collector: Collector, stack: ExitStack, _folder: Path
) -> Way:
    return Way(collector.open(stack, answers).url)


def _grpc(
    answers: Sequence[GrpcAnswer], collector: Collector, stack: ExitStack, _folder: Path
) -> Way:
    return Way(collector.open_grpc(stack, answers).url, "grpc")


def _nobody(_collector: Collector, _stack: ExitStack, _folder: Path) -> Way:
    # Not a port that was just free: it may be the next row's.
    return Way("http://127.0.0.1:9")


def _tls(
    collector: Collector, stack: ExitStack, folder: Path, *, is_trusted: bool
) -> Way:
    company = Company(folder, HOST)
    receiver = collector.open(stack, tls=company.receiver_context())
    trusted = str(company.authority_file) if is_trusted else ""
    return Way(receiver.url, certificate_file=trusted)


def _proxy(
    collector: Collector, stack: ExitStack, folder: Path, *, refuse_with: int | None
) -> Way:
    """Put a proxy before a collector whose name only it knows."""
    company = Company(folder, HOST)
    receiver = collector.open(stack, tls=company.receiver_context())
    proxy = stack.enter_context(Proxy(receiver.port, refuse_with=refuse_with))
    return Way(
        f"https://{HOST}:4318",
        certificate_file=str(company.authority_file),
        environment={"HTTPS_PROXY": proxy.url},
    )


def _plain_proxy(collector: Collector, stack: ExitStack, _folder: Path) -> Way:
    proxy = stack.enter_context(Proxy(collector.open(stack).port))
    return Way(f"http://{HOST}:4318", environment={"HTTP_PROXY": proxy.url})


def _unknown(_collector: Collector, _stack: ExitStack, _folder: Path) -> Way:
    return Way(f"http://{HOST}:4318")


def _netrc(collector: Collector, stack: ExitStack, folder: Path) -> Way:
    netrc = folder / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login eve password {NETRC_PASSWORD}\n")
    netrc.chmod(0o600)
    return Way(collector.open(stack).url, environment={"NETRC": str(netrc)})


NONE, REFUSED, RETURNS, KILLED, FULL = (
    "none",
    "refused, back at the next start",
    "dies and comes back",
    "kill -9 of the process",
    "refused, spool full",
)

SCENES: Mapping[str, Scene] = {
    NONE: partial(_http, ()),
    REFUSED: _nobody,
    FULL: _nobody,
    RETURNS: partial(_http, ()),
    KILLED: partial(_http, ()),
    **{name: partial(_http, answers) for name, answers in FAULTS.items()},
    "a certificate nobody trusts": partial(_tls, is_trusted=False),
    "a company's authority": partial(_tls, is_trusted=True),
    "HTTP_PROXY": _plain_proxy,
    "HTTPS_PROXY": partial(_proxy, refuse_with=None),
    "HTTPS_PROXY that refuses": partial(_proxy, refuse_with=403),
    "a name that nobody knows": _unknown,
    "a .netrc for the host": _netrc,
    "gRPC, none": partial(_grpc, ()),
    **{f"gRPC {name}": partial(_grpc, them) for name, them in GRPC_FAULTS.items()},
}
