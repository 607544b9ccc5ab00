"""Requests as a tornado application sees them, without a socket."""

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, RequestHandler


class Connection:
    """What a handler asks of the connection that it answers on."""

    def set_close_callback(self, callback):
        """Never close."""


class ThingHandler(RequestHandler):
    """A handler with nothing to say."""


def handler_of(
    kind=ThingHandler, method="GET", uri="/", status=200, settings=None, **headers
):
    """Return a handler whose request took an eighth of a second and is over."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = HTTPServerRequest(
        start_line=RequestStartLine(method, uri, "HTTP/1.1"),
        headers=HTTPHeaders({"Host": "example.org"} | given),
        connection=Connection(),
    )
    request._start_time, request._finish_time = 1000.0, 1000.125
    request.remote_ip = "192.0.2.7"
    handler = kind(Application(**(settings or {})), request)
    handler.set_status(status)
    return handler
