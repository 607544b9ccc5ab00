"""The one place where a tornado application tells of every request that is over.

tornado calls ``settings["log_function"]`` once a request, when its answer is complete;
for a WebSocket that is the end of the handshake. Wrapping it patches nothing. What is
read off a request is in the watchers' own files, and what all of them ask is here.
"""

import re
from collections.abc import Callable, MutableMapping
from functools import update_wrapper
from typing import Any, TypeAlias

from jupyter_otel.sources.faults import HookEdge

LogFunction: TypeAlias = Callable[[Any], Any]
"""Called with the `tornado.web.RequestHandler` of a request that is over."""

_LOG_FUNCTION = "log_function"
# RFC 9110, and PATCH. What else a client writes there is text of its choosing.
_KNOWN_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
_OTHER = "_OTHER"
"""OpenTelemetry's word for a method that is none."""
_CLASS_NAME = re.compile(r"\w{1,128}")


def watched(log_function: LogFunction, *watchers: Callable[[Any], None]) -> LogFunction:
    """Return a log function that calls another one, and then shows watchers the same.

    What the other one returns or raises goes on as ever. The watchers are called in
    their order; an error of one reaches neither the server nor the next.
    """
    guarded = [(watcher, HookEdge("the watch over requests")) for watcher in watchers]

    def log_and_watch(handler: Any) -> Any:
        try:
            return log_function(handler)
        finally:
            for watcher, edge in guarded:
                with edge:
                    watcher(handler)

    return update_wrapper(log_and_watch, log_function)


def watch_log(
    settings: MutableMapping[str, Any], *watchers: Callable[[Any], None]
) -> bool:
    """Show watchers every request of an application that is over from now on.

    Returns:
        Whether they are shown any: False without watchers, or where nothing is logged.
    """
    if not watchers or _LOG_FUNCTION not in settings:
        return False
    settings[_LOG_FUNCTION] = watched(settings[_LOG_FUNCTION], *watchers)
    return True


def method_of(handler: Any) -> str:
    """Return the method of a handler's request, ``_OTHER`` for one that is none."""
    method = handler.request.method
    return method if method in _KNOWN_METHODS else _OTHER


def class_of(handler: Any) -> str:
    """Return the name of the class that answers: of a program, never of a path."""
    name = type(handler).__name__
    return name if _CLASS_NAME.fullmatch(name) else "unnamed"
