"""Which requests front ends repeat by themselves, as nobody's act.

Told by the class that answers, for a path may stand for anything. By name, so that
nothing is imported for it and a class that a version does not have is no error.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_LOOKS = frozenset({"GET", "HEAD"})
_ALL_METHODS = frozenset({*_LOOKS, "DELETE", "OPTIONS", "PATCH", "POST", "PUT"})

_SERVICES = "jupyter_server.services"
_TERMINALS = "jupyter_server_terminals.api_handlers"

POLLED: Mapping[str, frozenset[str]] = {
    f"{_SERVICES}.api.handlers.APIStatusHandler": _LOOKS,
    f"{_SERVICES}.kernels.handlers.MainKernelHandler": _LOOKS,
    f"{_SERVICES}.kernels.handlers.KernelHandler": _LOOKS,
    f"{_SERVICES}.kernelspecs.handlers.MainKernelSpecHandler": _LOOKS,
    f"{_SERVICES}.sessions.handlers.SessionRootHandler": _LOOKS,
    f"{_SERVICES}.sessions.handlers.SessionHandler": _LOOKS,
    f"{_TERMINALS}.TerminalRootHandler": _LOOKS,
    f"{_TERMINALS}.TerminalHandler": _LOOKS,
    "jupyter_server.base.handlers.PrometheusMetricsHandler": _LOOKS,
    # People's own files are served by subclasses of tornado's static handler too.
    "jupyter_server.base.handlers.AuthenticatedFileHandler": frozenset(),
    "jupyter_server.files.handlers.FilesHandler": frozenset(),
    "tornado.web.StaticFileHandler": _LOOKS,
    # Requests about telemetry are no act that telemetry should tell of.
    "jupyter_otel.hosts.server.endpoints.OtelHandler": _ALL_METHODS,
    "jupyter_otel.hosts.server.relay.RelayHandler": _ALL_METHODS,
}
"""By a class's full name: the methods that are polling, in it and in what it becomes.

The nearest class that is named here counts."""


def is_polling(handler: Any) -> bool:
    """Return whether a handler's request is one that front ends repeat."""
    return handler.request.method in _polled_methods(handler.__class__)


@lru_cache(maxsize=512)
def _polled_methods(kind: type) -> frozenset[str]:
    for ancestor in kind.__mro__:
        methods = POLLED.get(f"{ancestor.__module__}.{ancestor.__qualname__}")
        if methods is not None:
            return methods
    return frozenset()
