"""The watch over a server's terminals: where it hangs.

jupyter_server_terminals makes its manager when it is loaded, which is after us; which
class that is of is a public trait of its application. Where the package is not there or
is off, there is nothing to do.
"""

import atexit
from typing import Any

from jupyter_otel.hosts.collected_schema import collected_schema
from jupyter_otel.hosts.server.people import People
from jupyter_otel.sources.terminals import (
    TERMINAL_SCHEMA,
    TerminalCapture,
    TerminalWatchMixin,
    watching,
)
from jupyter_otel.telemetry import Telemetry

_APPLICATION = "jupyter_server_terminals"


def watch_terminals(serverapp: Any, telemetry: Telemetry, people: People) -> None:
    """Report the terminals of a server whose manager of them is not made yet."""
    is_on = telemetry.settings.sources.terminals
    schema = collected_schema(telemetry, TERMINAL_SCHEMA, is_on=is_on)
    application = _application(serverapp)
    if schema is None or application is None:
        return
    base = application.terminal_manager_class
    if issubclass(base, TerminalWatchMixin):
        return
    capture = TerminalCapture(telemetry.intake, schema, people.attribution)
    application.terminal_manager_class = watching(base, capture)
    # The package does not end its terminals when the server stops; the process does.
    atexit.register(capture.server_stops)


def _application(serverapp: Any) -> Any:
    points = serverapp.extension_manager.extension_points
    application = getattr(points.get(_APPLICATION), "app", None)
    return application if hasattr(application, "terminal_manager_class") else None
