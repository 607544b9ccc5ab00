"""The extension that Jupyter Server loads by the name of this package."""

from typing import Any

from jupyter_server.extension.application import ExtensionApp

from jupyter_otel.hosts.server.collection import open_collection
from jupyter_otel.hosts.server.endpoints import routes


class OtelExtension(ExtensionApp):
    """Collects what policy asks for; at level ``none`` only answers that it does not.

    Its name makes Jupyter Server read ``jupyter_otel_config.{py,json}``, below the
    server's own configuration.
    """

    name = "otel"

    def initialize_settings(self) -> None:
        """Open the collection and listen to the bus, as early as can be."""
        serverapp: Any = self.serverapp
        self.collection = open_collection(self.config, serverapp.log)
        self.collection.listen(serverapp)

    def initialize_handlers(self) -> None:
        """Answer under ``otel/v1``."""
        self.handlers.extend(routes(self.collection))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Capture executions, now that every other extension has set its classes."""
        self.collection.listen(serverapp)
        self.collection.capture(serverapp)

    async def stop_extension(self) -> None:
        """Begin to send what waits. The end comes at exit, after the kernels'."""
        self.collection.finish()


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server what to load."""
    return [{"module": "jupyter_otel", "app": OtelExtension}]
