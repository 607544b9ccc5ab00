"""What one Jupyter Server collects: which sources are on, and how that ends.

::

    open_collection ──▶ listen (extensions are loaded) ──▶ capture (the loop runs)
                                                               │
    process exit ◀── Telemetry's own atexit ◀── finish (extensions are stopped,
                                                kernels are not yet)
"""

import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traitlets.config import Config

from jupyter_otel.errors import JupyterOtelError
from jupyter_otel.event import Intake
from jupyter_otel.hosts.server.datasets import capture_documents
from jupyter_otel.hosts.server.executions import capture_executions
from jupyter_otel.hosts.server.kernel_environment import (
    prepare_kernels,
    take_hand_over,
)
from jupyter_otel.hosts.server.login_notice import show_notice_at_login
from jupyter_otel.hosts.server.metrics import show_metrics
from jupyter_otel.hosts.server.people import People
from jupyter_otel.hosts.server.requests import open_request_spans, watch_requests
from jupyter_otel.hosts.server.terminals import watch_terminals
from jupyter_otel.schema import Schema
from jupyter_otel.sources.faults import HookFaults
from jupyter_otel.sources.request_spans import RequestSpans
from jupyter_otel.sources.server_events import EventLoggerHandler, schema_body
from jupyter_otel.telemetry import Telemetry

if TYPE_CHECKING:
    from jupyter_otel.hosts.server.dialogue import Dialogue

_FLUSH_S = 1.0
_OURS = "https://events.jupyter.org/jupyter_otel/"


@dataclass(slots=True, eq=False)
class Collection:
    """The telemetry of one server and what hangs on the server for it."""

    telemetry: Telemetry
    error: str | None = None
    """Why nothing is collected although it was asked for."""
    request_spans: RequestSpans | None = None

    def listen(self, serverapp: Any) -> None:
        """Install what has to be there before the server's other extensions are.

        A second call makes up for what was registered since the first.
        """
        telemetry = self.telemetry
        telemetry.hide(getattr(serverapp.identity_provider, "token", None) or "")
        if not telemetry.enabled:
            return
        self.request_spans = self.request_spans or open_request_spans(telemetry)
        people = self._people(serverapp)
        watch_terminals(serverapp, telemetry, people)
        self._listen_to_bus(serverapp.event_logger, people)

    def _listen_to_bus(self, bus: Any, people: People) -> None:
        """Take in the events of the server's bus, if policy collects any of them."""
        telemetry = self.telemetry
        if not telemetry.settings.sources.jupyter_events:
            return
        if not _admits_bus_events(telemetry, bus):
            return
        listening = [h for h in bus.handlers if isinstance(h, EventLoggerHandler)]
        if not listening:
            bus.register_handler(telemetry.handler(bus, people.attribution))
        for handler in listening:
            if not handler.is_bound:  # named in a configuration file
                handler.bind(telemetry.intake, people.attribution, bus)

    def capture(self, serverapp: Any) -> None:
        """Install what hangs on a server that is complete, source by source."""
        if self.telemetry.enabled:
            show_notice_at_login(serverapp, self.telemetry)
            prepare_kernels(serverapp, self.telemetry)
            capture_executions(serverapp, self.telemetry)
            capture_documents(serverapp, self.telemetry, self._people(serverapp))
            watch_requests(serverapp, self.telemetry, self.request_spans)

    def _people(self, serverapp: Any) -> People:
        """Return what tells whose an event is, and in the span of which request."""
        return People(serverapp.identity_provider, spans=self.request_spans)

    def finish(self) -> None:
        """Begin to send what waits; return at once.

        Kernels are shut down after this and report it, so nothing is closed yet.
        """
        if self.telemetry.enabled:
            flush = threading.Thread(
                target=self.telemetry.flush,
                args=(_FLUSH_S,),
                name="jupyter_otel-flush",
                daemon=True,
            )
            flush.start()

    def dialogue(self, handler: Any) -> "Dialogue":
        """Return what is between this collection and whoever a handler serves."""
        # The page, the records in it and the protocol's messages: a start needs none.
        from jupyter_otel.hosts.server.dialogue import Dialogue  # noqa: PLC0415

        person = People(handler.identity_provider).person(handler)
        return Dialogue(self.telemetry, self.error, person)

    def status(self) -> dict[str, Any]:
        """Return the JSON of ``otel/v1/status``."""
        return {**self.telemetry.status(), "error": self.error}


def open_collection(config: Config, log: logging.Logger) -> Collection:
    """Return what a configuration collects; nothing, if it cannot be used.

    A server with a bad setting starts all the same, and says what is wrong.
    """
    take_hand_over(os.environ)
    _write_where(log)
    try:
        collection = Collection(Telemetry(config, source="server"))
    except JupyterOtelError as error:
        # No traceback: it says nothing to whoever wrote the setting.
        log.error("jupyter_otel collects nothing until this is corrected:\n%s", error)  # noqa: TRY400
        return Collection(Telemetry(Config()), error=str(error))
    # A bug of ours, or an installation that is broken, must not cost anybody a server.
    except Exception as error:  # noqa: BLE001
        HookFaults("the server extension").note(error)
        return Collection(
            Telemetry(Config()), error=f"an unforeseen {type(error).__name__}"
        )
    for warning in collection.telemetry.warnings:
        log.warning("jupyter_otel: %s", warning)
    if collection.telemetry.enabled:
        show_metrics(collection.telemetry)
        log.info("jupyter_otel: %s", _summary(collection.telemetry))
    return collection


def _write_where(log: logging.Logger) -> None:
    """Have our own lines written where the server's are: with time, level and name."""
    ours = logging.getLogger("jupyter_otel")
    if not ours.hasHandlers():
        for handler in getattr(log, "handlers", ()):
            ours.addHandler(handler)


def _summary(telemetry: Telemetry) -> str:
    """Return in a line what is collected, who is asked and where it goes."""
    settings = telemetry.settings
    places = dict.fromkeys(
        name.removesuffix(f"/v1/{signal}")
        for signal, name in telemetry.status()["destinations"].items()
    )
    return (
        f"level {settings.policy.level}, consent {settings.consent.mode}, "
        f"to {' and '.join(places)}"
    )


def _admits_bus_events(telemetry: Telemetry, bus: Any) -> bool:
    """Return whether policy collects anything that the bus may carry.

    Schemas of the bus are registered at any time, at first use above all; what will
    come is known from the catalog, and from what policy includes by name.
    """
    if telemetry.settings.policy.include:
        return True
    return any(map(telemetry.intake.admits, _bus_schemas(telemetry, bus)))


def _bus_schemas(telemetry: Telemetry, bus: Any) -> Iterable[Schema]:
    intake: Intake = telemetry.intake
    for schema_id in bus.schemas.schema_ids:
        body = schema_body(bus.schemas.get(schema_id))
        adopted = intake.adopt(body, "event logger")
        if adopted is not None:
            yield adopted
    for schema in telemetry.catalog.schemas():
        if not schema.id.startswith(_OURS):
            yield schema
