"""The kernels that may use the relay: their tokens, their people, what they may send.

A token is made when its kernel starts, lives in this process's memory and in the
kernel's environment, and dies with either. Nothing here is logged.
"""

import ipaddress
import secrets
import time
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

from jupyter_otel.event import Person
from jupyter_otel.sources.allowance import Allowance

TOKEN_HEADER = "X-Jupyter-Otel-Kernel"  # noqa: S105 - the name of a header
RelayVariables = Callable[[str], Mapping[str, str]]
"""Returns what the kernel of an id needs in its environment to reach the relay."""

BYTES_PER_S = 2**20
BURST_BYTES = 16 * 2**20
MAX_PEOPLE = 100
"""Who may use one kernel that sends."""

_TOKEN_BYTES = 32
_START_S = 600.0
"""How long a kernel may take to start."""
_ANY = {"", "*", "0.0.0.0"}  # noqa: S104 - looked for, not bound to
_ANY_IPV6 = "::"


class RelayKernel(NamedTuple):
    """A kernel that has a token."""

    id: str
    people: set[Person]
    """Who started it, and everybody who had a connection to it."""
    token: str
    allowance: Allowance
    since_s: float
    """Of the monotonic clock."""


class RelayKernels:
    """Gives kernels their tokens, and knows them again.

    Args:
        running: The ids of kernels that run now: the server's kernel manager.
        endpoint: Returns the relay's URL as kernels reach it; None: they cannot.
        certificate: PEM file that vouches for that URL, if it is one of TLS.
        person: Returns who asks for a kernel at this moment.
    """

    def __init__(
        self,
        running: Container[str],
        endpoint: Callable[[], str | None],
        certificate: str,
        person: Callable[[], Person],
    ) -> None:
        self._running = running
        self._endpoint = endpoint
        self._certificate = certificate
        self._person = person
        self._kernels: dict[str, RelayKernel] = {}

    def variables(self, kernel_id: str) -> Mapping[str, str]:
        """Return what a kernel's environment needs; nothing, if it cannot reach us.

        A kernel that does not run yet is about to: it gets a new token, and is whoever
        asks for it now.
        """
        endpoint = self._endpoint()
        if endpoint is None:
            return {}
        if kernel_id not in self._running or kernel_id not in self._kernels:
            self._forget_the_gone()
            self._kernels[kernel_id] = RelayKernel(
                kernel_id,
                {self._person()},
                secrets.token_urlsafe(_TOKEN_BYTES),
                Allowance(BYTES_PER_S, BURST_BYTES),
                time.monotonic(),
            )
        token = self._kernels[kernel_id].token
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_HEADERS": f"{TOKEN_HEADER.lower()}={token}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
        if endpoint.startswith("https:"):
            variables["OTEL_EXPORTER_OTLP_CERTIFICATE"] = self._certificate
        return variables

    def join(self, kernel_id: str, person: Person) -> None:
        """Note who uses a kernel: what it sends is from now on theirs, too."""
        kernel = self._kernels.get(kernel_id)
        if kernel is not None and len(kernel.people) <= MAX_PEOPLE:
            kernel.people.add(person)

    def find(self, token: str) -> RelayKernel | None:
        """Return the running kernel that a token was given to.

        None, too, where more people used it than are kept: all would have to be asked.
        """
        given = token.encode(errors="replace")
        found = None
        for kernel in self._kernels.values():  # all of them, whichever it is
            if secrets.compare_digest(kernel.token.encode(), given):
                found = kernel
        if found is None or len(found.people) > MAX_PEOPLE:
            return None
        return found if found.id in self._running else None

    def _forget_the_gone(self) -> None:
        # Not those that are still starting beside this one.
        before_s = time.monotonic() - _START_S
        self._kernels = {
            kernel.id: kernel
            for kernel in self._kernels.values()
            if kernel.id in self._running or kernel.since_s > before_s
        }


def relay_endpoint(serverapp: Any) -> str | None:
    """Return the relay's URL as a kernel on this machine reaches it; None: it cannot.

    An exporter speaks neither to a Unix socket nor to a server that wants a client's
    certificate.
    """
    if serverapp.sock or serverapp.client_ca:
        return None
    scheme = "https" if serverapp.certfile else "http"
    host = _reachable(serverapp.ip)
    return f"{scheme}://{host}:{serverapp.port}{serverapp.base_url}otel"


def _reachable(ip: str) -> str:
    if ip in _ANY:
        return "127.0.0.1"
    if ip == _ANY_IPV6:
        return "[::1]"
    try:
        return str(ipaddress.IPv4Address(ip))
    except ValueError:
        return f"[{ip}]" if ":" in ip else ip
