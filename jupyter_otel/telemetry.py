"""The public face: one `Telemetry` a process takes events in and sends them.

::

    with Telemetry(config=config) as telemetry:
        telemetry.register_schema(schema)
        telemetry.emit(schema_id="https://example.org/x/v1", data={"a": 1})

At level ``none`` it is inert: no thread, no file, no import that costs.
"""

import atexit
import logging
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self
from weakref import WeakSet

from traitlets.config import Config, Configurable

from jupyter_otel.complaints import printable
from jupyter_otel.config import read_settings
from jupyter_otel.environment import sdk_disabled
from jupyter_otel.errors import ConfigError, SchemaError
from jupyter_otel.event import Attribution, Source, read_time
from jupyter_otel.schema import Schema
from jupyter_otel.tally import Books, Refusal, Signal, Tally

if TYPE_CHECKING:  # what only a telemetry that runs needs
    from jupyter_otel.assembly import Running
    from jupyter_otel.catalog.catalog import Catalog
    from jupyter_otel.choices import Choices
    from jupyter_otel.disclosure.collected import Collected
    from jupyter_otel.event import Intake
    from jupyter_otel.exporters.relayed import Relayed
    from jupyter_otel.preview import Previewer
    from jupyter_otel.redaction.known_words import KnownWords
    from jupyter_otel.road import Road
    from jupyter_otel.tracing.spans import SpanStarter

CLOSE_TIMEOUT_S = 1.5
# Python 3.11 looks a member of an enum up by a call: not near the recursion limit.
_LOGS, _NOT_JSON = Signal.LOGS, Refusal.NOT_JSON


class Closing(Protocol):
    """A source that has something to say at the end."""

    def close(self) -> None:
        """Say it. Never raises."""


class Telemetry:
    """Takes events in, and sends what policy lets through as OpenTelemetry data.

    Args:
        config: Traitlets configuration; no file is read. ``OTEL_*`` variables count.
        source: What kind of process this is: app, server, kernel, browser or hub.
        strict: For tests: an invalid event or unknown id raises `SchemaError`.
        parent: The host application, if it is made of traitlets.

    Raises:
        ConfigError: A setting cannot be used; all of them are named at once.
        SchemaError: A schema or an overlay that the settings name cannot be used.
        SpoolError: The spool's directory cannot be written.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        source: str = "app",
        strict: bool = False,
        parent: Configurable | None = None,
    ) -> None:
        self.settings = read_settings(config, parent)
        self._warnings: list[str] = []
        self._source = _source(source)
        self._strict = strict
        self._books = Books()
        self._schemas: dict[str, Schema] = {}
        self._catalog: Catalog | None = None
        self._spans: SpanStarter | None = None
        self._previewer: Previewer | None = None
        self._known: KnownWords | None = None
        self._handlers: WeakSet[logging.Handler] = WeakSet()
        self._closing: WeakSet[Closing] = WeakSet()
        self._running: Running | None = None
        self._idle_reason = Refusal.LEVEL
        """Why nothing is taken in while nothing runs."""
        if self.settings.policy.level != "none" and not sdk_disabled():
            self._running = self._start()
            _ALIVE.add(self)
            atexit.register(self.close)

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def enabled(self) -> bool:
        """Whether anything is collected."""
        return self._running is not None

    @property
    def warnings(self) -> list[str]:
        """What is legal but probably wrong so far, a line each, without secrets."""
        of_catalog = self._catalog.warnings if self._catalog else ()
        return [printable(text) for text in (*self._warnings, *of_catalog)]

    @property
    def catalog(self) -> "Catalog":
        """The schemas that are known here."""
        if self._catalog is None:
            from jupyter_otel.assembly import build_catalog  # noqa: PLC0415 - if used

            self._catalog = build_catalog(self.settings)
        return self._catalog

    @property
    def spans(self) -> "SpanStarter":
        """Gives new spans their ids, as ``OTEL_TRACES_SAMPLER`` decides."""
        if self._spans is None:
            from jupyter_otel.tracing.spans import SpanStarter  # noqa: PLC0415 - if used

            self._spans = SpanStarter()
        return self._spans

    @property
    def intake(self) -> "Intake":
        """Where sources hand events in; only where `enabled`."""
        if self._running is None:
            raise RuntimeError("Nothing is taken in at level none.")
        return self._running.pipeline

    @property
    def road(self) -> "Road | None":
        """The way to the receivers, for exporters; None where nothing runs."""
        return None if self._running is None else self._running.road

    @property
    def choices(self) -> "Choices | None":
        """What people can see and change of their consent; None: nothing runs."""
        return None if self._running is None else self._running.choices

    @property
    def relayed(self) -> "Relayed | None":
        """Where user code's own OpenTelemetry data goes; None: nothing runs."""
        return None if self._running is None else self._running.relayed

    def register_schema(self, schema: Mapping[str, Any] | Path | str) -> None:
        """Make a schema known: as a mapping, a file's path, or YAML or JSON text.

        Raises:
            SchemaError: It is no schema, or refers to one that is not here.
        """
        registered = self.catalog.register(schema)
        self._schemas[registered.id] = registered

    def emit(
        self,
        *,
        schema_id: str,
        data: Mapping[str, Any],
        timestamp: datetime | int | None = None,
    ) -> bool:
        """Take in one event; return whether it was accepted (in ``sync``: is on disk).

        Never raises, and waits only in ``sync``. Safe in a signal handler.

        Args:
            schema_id: Of a registered schema.
            data: A JSON object, as any mapping; it is copied before this returns.
            timestamp: When it happened: an aware datetime, or nanoseconds since the
                epoch; None: now.

        Raises:
            SchemaError: Only if ``strict``: the event is invalid or its id unknown.
        """
        running = self._running
        # The edge to the producer, whose id, time and data may be anything, and who may
        # stand anywhere, near the recursion limit for one.
        try:
            if running is None:
                return self._refuse(self._idle_reason)
            schema = self._schemas.get(schema_id) or self._find(schema_id)
            if schema is None:
                return self._refuse_unknown(schema_id)
            if timestamp is None:
                return running.pipeline.emit(schema, data)
            attribution = Attribution(time_ns=read_time(timestamp))
            return running.pipeline.emit(schema, data, attribution)
        except Exception as error:
            if self._strict and isinstance(error, SchemaError):
                raise
            try:  # noqa: SIM105 - `suppress` would be more frames
                self._books.refuse(_LOGS, _NOT_JSON)
            except RecursionError:
                pass  # too deep even to count
            return False

    def attach(self, event_logger: Any) -> None:
        """Take in what a `jupyter_events.EventLogger` logs from now on, once.

        The bus then validates: a producer's invalid event raises in the producer.
        """
        ours_there = self._handlers.intersection(event_logger.handlers)
        if self._running is not None and not ours_there:
            event_logger.register_handler(self.handler(event_logger))

    def handler(
        self,
        event_logger: Any = None,
        attribution: Callable[[], Attribution] = Attribution,
    ) -> logging.Handler:
        """Return a handler that takes in what an event logger hands it.

        Args:
            event_logger: Whose schemas to use; None: those of the catalog.
            attribution: Asked for each event, on the thread that emits it.
        """
        from jupyter_otel.sources.server_events import (  # noqa: PLC0415 - if used
            EventLoggerHandler,
        )

        handler = EventLoggerHandler(event_logger, self.intake, attribution)
        self._handlers.add(handler)
        return handler

    def hide(self, secret: str) -> None:
        """Take a text out of all that is scrubbed from now on: a host's token, say."""
        if self._known is not None:
            self._known.add(secret)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Return whether nothing that was accepted before is pending any more."""
        return self._running is None or self._running.flush(timeout_s)

    def tally(self) -> Tally:
        """Return the books as they stand."""
        return self._books.tally()

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Send what time allows, leave the rest in the spool, stop all threads."""
        for source in list(self._closing if self.enabled else ()):
            source.close()
        running, self._running = self._running, None
        if running is None:
            return
        self._idle_reason = Refusal.SHUTDOWN
        running.stop(timeout_s)
        _ALIVE.discard(self)
        atexit.unregister(self.close)

    def close_before(self, source: Closing) -> None:
        """Close a source as `close` begins, if it is still there: it may emit then."""
        self._closing.add(source)

    def preview(
        self,
        schema_id: str,
        data: Mapping[str, Any],
        *,
        consent: bool = True,
        explain: bool = False,
        timestamp: datetime | int | None = None,
    ) -> dict[str, Any]:
        """Return what would leave of an event, as one line of ``jupyter otel preview``.

        Args:
            schema_id: Of a known schema.
            data: The event's data.
            consent: Whether the person behind the event said yes.
            explain: Whether to say what is done to each property, and by which rule.
            timestamp: As for `emit`.
        """
        from jupyter_otel.preview import Asked  # noqa: PLC0415 - only where used

        asked = Asked(consent, explain, read_time(timestamp))
        return self._preview().preview(self._find(schema_id), data, asked)

    def collected(self) -> "Collected":
        """Return what is collected, and what is done to it; at level none: nothing."""
        from jupyter_otel.disclosure.describe import describe  # noqa: PLC0415 - if used

        return describe(self.settings, self.catalog, inert=not self.enabled)

    def status(self) -> dict[str, Any]:
        """Return the books, the spool, the destinations and the last errors as JSON."""
        running = self._running
        status: dict[str, Any] = {"level": self.settings.policy.level}
        status |= self._books.tally().to_json()
        road = None if running is None else running.road
        status["spool"] = None if road is None else road.spool_status()
        status["destinations"] = {} if road is None else dict(road.destinations)
        status["last_error"] = {} if road is None else road.last_errors()
        status["warnings"] = self.warnings
        return status

    def _start(self) -> "Running":
        from jupyter_otel.assembly import build_stages, start  # noqa: PLC0415 - if used
        from jupyter_otel.permits import open_consent  # noqa: PLC0415 - ditto
        from jupyter_otel.redaction.known_words import KnownWords  # noqa: PLC0415 - ditto

        self._known = KnownWords.of_process()
        stages = build_stages(
            self.settings,
            self.catalog,
            start_span=self.spans.start,
            count=self._books.remark,
            warnings=self._warnings,
            known=self._known,
            consent=open_consent(self.settings),
        )
        return start(
            self.settings,
            stages,
            self._books,
            source=self._source,
            strict=self._strict,
            warnings=self._warnings,
        )

    def _preview(self) -> "Previewer":
        if self._previewer is None:
            from jupyter_otel.assembly import build_previewer  # noqa: PLC0415 - if used

            self._previewer = build_previewer(
                self.settings, self.catalog, self.spans, self._source
            )
        return self._previewer

    def _find(self, schema_id: str) -> Schema | None:
        schema = self._schemas.get(schema_id) or self.catalog.find(schema_id)
        # What is unknown may be installed or registered later, and is without bound.
        if schema is not None:
            self._schemas[schema_id] = schema
        return schema

    def _refuse(self, reason: Refusal) -> bool:
        self._books.refuse(_LOGS, reason)
        return False

    def _refuse_unknown(self, schema_id: str) -> bool:
        self._refuse(Refusal.UNKNOWN_SCHEMA)
        if self._strict:
            raise SchemaError(
                f"No schema has the id {schema_id!r}. Register it with register_schema."
            )
        return False

    def _leave_to_parent(self) -> None:
        """In a forked child: become inert. Threads and files are the parent's."""
        if self._running is not None:
            self._running.pipeline.leave_to_parent()
        self._running = None
        self._idle_reason = Refusal.SHUTDOWN
        self._books = Books()
        atexit.unregister(self.close)


_ALIVE: "WeakSet[Telemetry]" = WeakSet()


def _leave_all_to_parent() -> None:
    for telemetry in list(_ALIVE):
        telemetry._leave_to_parent()  # noqa: SLF001 - the class's own fork hook
    _ALIVE.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)


def _source(name: str) -> Source:
    try:
        return Source(name)
    except ValueError:
        raise ConfigError(
            f"source must be one of {', '.join(Source)}, got {name!r}. Name the kind "
            "of process that this is."
        ) from None
