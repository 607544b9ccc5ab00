"""The watch over a server's requests: what it is given and where it hangs.

How a request or a sign-in is read is in ``sources/``; here only the server's own
settings are read and set.
"""

import atexit
from collections.abc import Callable
from typing import Any

from jupyter_otel.hosts.collected_schema import collected_schema
from jupyter_otel.hosts.server.people import People
from jupyter_otel.hosts.server.polling import is_polling
from jupyter_otel.hosts.trace_context import TraceContext
from jupyter_otel.schema import Schema
from jupyter_otel.sources.event_loop import call_later
from jupyter_otel.sources.http_requests import HTTP_REQUEST_SCHEMA, HttpRequests
from jupyter_otel.sources.request_log import watch_log
from jupyter_otel.sources.request_spans import RequestSpans
from jupyter_otel.sources.sign_in_reading import SignInReader
from jupyter_otel.sources.sign_ins import SIGN_IN_SCHEMA, SignIns
from jupyter_otel.telemetry import Telemetry


def open_request_spans(telemetry: Telemetry) -> RequestSpans | None:
    """Return what makes requests spans; None where they are not recorded as such."""
    if not telemetry.settings.traces.enabled or _http_schema(telemetry) is None:
        return None
    return RequestSpans(TraceContext(telemetry.spans, tells_kernel=False))


def watch_requests(
    serverapp: Any, telemetry: Telemetry, spans: RequestSpans | None
) -> None:
    """Report requests and sign-ins from now on.

    Where both sources are off, or policy collects neither, nothing is done. Whoever
    sets another log function later ends it: that is theirs to do.
    """
    watchers = _watchers(serverapp, telemetry, spans)
    if watch_log(serverapp.web_app.settings, *watchers) and spans is not None:
        telemetry.spans.prepare_beside()


def _watchers(
    serverapp: Any, telemetry: Telemetry, spans: RequestSpans | None
) -> list[Callable[[Any], None]]:
    provider = serverapp.identity_provider
    person = People(provider).person
    watchers: list[Callable[[Any], None]] = []
    schema = _http_schema(telemetry)
    if schema is not None:
        takes_all = telemetry.settings.sources.http_polling
        left_out = _nothing if takes_all else is_polling
        requests = HttpRequests(telemetry.intake, schema, person, spans, left_out)
        watchers.append(requests.watch)
    # After requests: what they are reported as is the span of the sign-in.
    is_on = telemetry.settings.sources.sign_ins
    schema = collected_schema(telemetry, SIGN_IN_SCHEMA, is_on=is_on)
    if schema is not None:
        reader = SignInReader(provider)
        sign_ins = SignIns(telemetry.intake, schema, reader, person, spans, call_later)
        atexit.register(sign_ins.tell_rest)
        watchers.append(sign_ins.watch)
    return watchers


def _http_schema(telemetry: Telemetry) -> Schema | None:
    is_on = telemetry.settings.sources.http_requests
    return collected_schema(telemetry, HTTP_REQUEST_SCHEMA, is_on=is_on)


def _nothing(_handler: Any) -> bool:
    return False
