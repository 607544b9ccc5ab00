"""Jupyter events as OpenTelemetry logs and spans.

Importing this is cheap: what a name needs is imported at its first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jupyter_otel._version import __version__
from jupyter_otel.errors import (
    ConfigError,
    JupyterOtelError,
    SchemaError,
    SpoolError,
)

if TYPE_CHECKING:
    from jupyter_otel.exporters.logs import SpoolLogExporter
    from jupyter_otel.exporters.metrics import SpoolMetricExporter
    from jupyter_otel.exporters.spans import SpoolSpanExporter
    from jupyter_otel.hosts.runs.hooks import notebook_hooks
    from jupyter_otel.sources.server_events import EventLoggerHandler
    from jupyter_otel.telemetry import Telemetry

_LATER = {
    "EventLoggerHandler": "jupyter_otel.sources.server_events",
    "SpoolLogExporter": "jupyter_otel.exporters.logs",
    "SpoolMetricExporter": "jupyter_otel.exporters.metrics",
    "SpoolSpanExporter": "jupyter_otel.exporters.spans",
    "Telemetry": "jupyter_otel.telemetry",
    "_jupyter_server_extension_points": "jupyter_otel.hosts.server.extension",
    "notebook_hooks": "jupyter_otel.hosts.runs.hooks",
}

__all__ = [
    "ConfigError",
    "EventLoggerHandler",
    "JupyterOtelError",
    "SchemaError",
    "SpoolError",
    "SpoolLogExporter",
    "SpoolMetricExporter",
    "SpoolSpanExporter",
    "Telemetry",
    "__version__",
    "notebook_hooks",
]


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives, at first use (PEP 562)."""
    if name not in _LATER:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_LATER[name]), name)
