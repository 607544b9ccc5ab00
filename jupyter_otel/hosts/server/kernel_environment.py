"""What the environment of kernels gets from this server, and what it does not get.

::

    server's environment ──▶ minus what speaks for the server alone
                             plus JUPYTER_OTEL_KERNEL, and the relay's variables
                         ──▶ the kernelspec's own ``env`` ──▶ kernel

The server's own environment is not changed, but for what a Hub handed over to us. Of
kernels behind a gateway the gateway decides; programs that start kernels without the
server's kernel manager (nbconvert's preprocessor) hand down all they have.
"""

import os
import re
from collections.abc import Mapping, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from jupyter_otel.config import OtelTraces
from jupyter_otel.errors import JupyterOtelError
from jupyter_otel.hosts.server.kernel_managers import derive_kernel_managers
from jupyter_otel.hosts.server.relay_kernels import RelayVariables
from jupyter_otel.sources.derived_class import derive
from jupyter_otel.sources.faults import HookEdge
from jupyter_otel.telemetry import Telemetry

MODE = "JUPYTER_OTEL_KERNEL"
"""Tells ``jupyter_otel_kernel`` what `OtelTraces.kernel` is: off, context or spans."""

_HANDED_OVER = "JUPYTER_OTEL_"
_EDGE = HookEdge("the environment of kernels")
_OTEL = "OTEL_"
_EXPORT = "OTEL_EXPORTER_OTLP_"
_SERVERS = re.compile(
    r"OTEL_SERVICE_NAME"
    rf"|{_EXPORT}((LOGS|TRACES|METRICS)_)?(HEADERS|CLIENT_KEY|CLIENT_CERTIFICATE)"
)
_START = {"TRACEPARENT", "TRACESTATE"}
"""In which span the server was started: a week later no cell belongs there."""
_SPANS_GO_NOWHERE = (
    "jupyter_otel: OtelTraces.kernel is spans, but OtelSources.otlp_relay is not on: "
    "spans of kernels go where their kernelspec's OTEL_EXPORTER_OTLP_ENDPOINT says."
)
_RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"
_SERVICE = "service."


class KernelEnvironment:
    """Makes the environments of kernels.

    Args:
        mode: What `MODE` says.
        relay: What a kernel needs for the relay; None: there is no relay, and the
            receivers that the server's environment names stay the kernel's.
    """

    def __init__(self, mode: str, relay: RelayVariables | None = None) -> None:
        self._mode = mode
        self._relay = relay

    def of(
        self, environ: Mapping[str, str], kernel_id: str, spec: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the environment of a kernel, before its kernelspec adds to it.

        Args:
            environ: What it would be without us. What differs in it from the server's
                own environment was set for this kernel, and stays.
            kernel_id: Of the kernel; empty where it has none.
            spec: The ``env`` of its kernelspec. What that names or refers to stays.
        """
        wanted = " ".join((*spec, *spec.values()))
        kept = {
            name: value
            for name, value in environ.items()
            if name in wanted
            or os.environ.get(name) != value
            or not self._is_servers(name, value)
        }
        if _RESOURCE in kept and kept[_RESOURCE] == os.environ.get(_RESOURCE):
            kept[_RESOURCE] = _without_service(kept[_RESOURCE])
        own = self._relay_variables(kept, kernel_id, wanted)
        return {**kept, **own, MODE: self._mode}

    def _is_servers(self, name: str, value: str) -> bool:
        """Return whether a variable of the server speaks for the server alone."""
        if name in _START:
            return True
        if not name.startswith(_OTEL):
            return False
        if self._relay is not None and name.startswith(_EXPORT):
            return True  # beside the relay's they would speak of another receiver
        return bool(_SERVERS.fullmatch(name)) or _has_credentials(value)

    def _relay_variables(
        self, kept: Mapping[str, str], kernel_id: str, wanted: str
    ) -> Mapping[str, str]:
        """Return what the relay needs; nothing, if the kernel has its own receiver.

        All or nothing: a token of ours must not go to a receiver of somebody else's.
        """
        has_own = _EXPORT in wanted or any(name.startswith(_EXPORT) for name in kept)
        if self._relay is None or has_own or not kernel_id:
            return {}
        return self._relay(kernel_id)


def prepare_kernels(serverapp: Any, telemetry: Telemetry) -> None:
    """Start the server's kernels as its settings say from now on."""
    # A server whose kernel manager is of another making has its other sources still.
    with _EDGE:
        _prepare_kernels(serverapp, telemetry)


def _prepare_kernels(serverapp: Any, telemetry: Telemetry) -> None:
    settings = telemetry.settings
    relay = _open_relay(serverapp, telemetry) if settings.sources.otlp_relay else None
    if settings.traces.kernel == "spans" and relay is None:
        serverapp.log.warning(_SPANS_GO_NOWHERE)
    mode = kernel_mode(settings.traces)
    change_kernel_environments(serverapp, KernelEnvironment(mode, relay))


def _open_relay(serverapp: Any, telemetry: Telemetry) -> RelayVariables | None:
    # It knows the protocol's messages: only a server that has one needs them.
    from jupyter_otel.hosts.server.relay import open_relay  # noqa: PLC0415

    try:
        return open_relay(serverapp, telemetry)
    except JupyterOtelError as error:
        serverapp.log.error("jupyter_otel has no relay for kernels: %s", error)  # noqa: TRY400 - says nothing to whoever wrote the setting
        return None


def kernel_mode(traces: OtelTraces) -> str:
    """Return what kernels are told of traces: off, context or spans."""
    return traces.kernel if traces.enabled else "off"


def take_hand_over(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Take out of an environment what a Hub handed over to this server, and return it.

    A kernel that inherited the trace of its server's spawn would hang a week of cells
    below it.
    """
    names = [n for n in environ if n.startswith(_HANDED_OVER) and n != MODE]
    return {name: environ.pop(name) for name in names}


def change_kernel_environments(serverapp: Any, environment: KernelEnvironment) -> None:
    """Start the server's kernels in this environment from now on, restarts too."""
    if getattr(serverapp.gateway_config, "gateway_enabled", False):
        return  # it would not pass them on, and writes all of them to the log
    starting = partial(derive, KernelStartMixin, otel_environment=environment)
    derive_kernel_managers(serverapp.kernel_manager, starting, _EDGE)


class KernelStartMixin:
    """Stands before a kernel manager's class, and changes what it hands to kernels."""

    otel_environment: KernelEnvironment
    kernel_id: Any

    def start_kernel(self, *args: Any, **kwargs: Any) -> Any:
        """Start the kernel in its environment; a restart uses that again."""
        with _EDGE:
            kernel_id = kwargs.get("kernel_id") or self.kernel_id
            kwargs["env"] = self._otel_change(kwargs.get("env", os.environ), kernel_id)
        base: Any = super()
        return base.start_kernel(*args, **kwargs)

    def update_env(self, *, env: dict[str, str]) -> None:
        """Keep it through a notebook's renaming: the server hands down all it has."""
        with _EDGE:
            env = self._otel_change(env, self.kernel_id)
        base: Any = super()
        base.update_env(env=env)

    def _otel_change(
        self, environ: Mapping[str, str], kernel_id: str
    ) -> dict[str, str]:
        return self.otel_environment.of(environ, kernel_id, _spec_env(self))


def _spec_env(manager: Any) -> Mapping[str, str]:
    """Return the ``env`` of a manager's kernelspec."""
    try:
        env: Mapping[str, str] = manager.kernel_spec.env
    except KeyError:  # there is no such kernel, which is not ours to report
        return {}
    return env


def _without_service(attributes: str) -> str:
    """Return resource attributes without those that name the server's own service."""
    return ",".join(
        pair for pair in attributes.split(",") if not pair.strip().startswith(_SERVICE)
    )


def _has_credentials(value: str) -> bool:
    try:
        return "@" in urlsplit(value).netloc
    except ValueError:
        return True  # a URL that cannot be read may hold anything
