"""The extension that Jupyter Server loads by the name of this package.

A server that has no setting of ours gets the routes and nothing else, not even the
modules that would collect.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp

from jupyter_otel.hosts.server.endpoints import routes

if TYPE_CHECKING:  # what only a server that collects needs
    from jupyter_otel.hosts.server.collection import Collection
    from jupyter_otel.sources.faults import HookEdge


class OtelExtension(ExtensionApp):
    """Collects what policy asks for; at level ``none`` only answers that it does not.

    Its name makes Jupyter Server read ``jupyter_otel_config.{py,json}``, below the
    server's own configuration.
    """

    name = "otel"

    @cached_property
    def collection(self) -> "Collection":
        """What is collected; opened when it is first asked for."""
        from jupyter_otel.hosts.server.collection import (  # noqa: PLC0415 - if used
            open_collection,
        )

        serverapp: Any = self.serverapp
        return open_collection(self.config, serverapp.log)

    @cached_property
    def _edge(self) -> "HookEdge":
        """Where a bug of ours ends: one in a hook keeps a server from stopping."""
        from jupyter_otel.sources.faults import HookEdge  # noqa: PLC0415 - if used

        return HookEdge("the server extension")

    @property
    def is_configured(self) -> bool:
        """Whether there is any setting of ours, good or bad."""
        return any(section.startswith("Otel") for section in self.config)

    def initialize_settings(self) -> None:
        """Open the collection and listen to the bus, as early as can be."""
        if self.is_configured:
            with self._edge:
                self.collection.listen(self.serverapp)

    def initialize_handlers(self) -> None:
        """Answer under ``otel``."""
        self.handlers.extend(routes(self))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Capture executions, now that every other extension has set its classes."""
        if self.is_configured:
            with self._edge:
                self.collection.listen(serverapp)
                self.collection.capture(serverapp)

    async def stop_extension(self) -> None:
        """Begin to send what waits. The end comes at exit, after the kernels'."""
        if self.is_configured:
            with self._edge:
                self.collection.finish()


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server what to load."""
    return [{"module": "jupyter_otel", "app": OtelExtension}]
