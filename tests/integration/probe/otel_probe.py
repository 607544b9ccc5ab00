"""A server extension that tells a test what it sees inside the server's process."""

import json
import sys
import threading

from jupyter_server.base.handlers import APIHandler
from tornado import web


class ProbeHandler(APIHandler):
    """What is there, named; its requests are no activity."""

    _track_activity = False

    @web.authenticated
    def get(self):
        """Answer with threads, handlers, the connection class and modules."""
        bus = self.event_logger
        seen = {
            "threads": sorted(t.name for t in threading.enumerate()),
            "handlers": [type(handler).__name__ for handler in bus.handlers],
            "connection_class": self.settings[
                "kernel_websocket_connection_class"
            ].__name__,
            "log_function": type(self.settings["log_function"]).__name__,
            "modules": sorted(sys.modules),
        }
        self.finish(json.dumps(seen))


class FailingHandler(APIHandler):
    """What fails as a server fails."""

    @web.authenticated
    def get(self):
        """Fail."""
        raise RuntimeError


def _load_jupyter_server_extension(serverapp):
    base = serverapp.web_app.settings["base_url"]
    routes = [(f"{base}probe", ProbeHandler), (f"{base}failing", FailingHandler)]
    serverapp.web_app.add_handlers(".*$", routes)
