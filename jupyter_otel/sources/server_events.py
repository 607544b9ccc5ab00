"""Events of a jupyter_events `EventLogger`, taken in as they are logged.

The handler hangs on the bus beside everybody else's handlers, so it does the least
that can be done there: it finds the schema by one dictionary look-up and hands the
data to the intake. It never blocks, raises, waits for a lock or changes the record.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from jupyter_otel.event import Attribution, Intake
from jupyter_otel.schema import Schema
from jupyter_otel.sources.faults import HookFaults

UNREADABLE_TIME_NS = -1
"""`Attribution.time_ns` of an event whose own time is there but cannot be read."""

_CAPSULE = frozenset(
    {"__timestamp__", "__schema__", "__schema_version__", "__metadata_version__"}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Registry(Protocol):
    """The part of jupyter_events' `SchemaRegistry` that is read here."""

    def __contains__(self, schema_id: str, /) -> bool:
        """Return whether the id is registered."""

    def get(self, schema_id: str, /) -> Any:
        """Return the registered `EventSchema`."""


class EventBus(Protocol):
    """The part of jupyter_events' `EventLogger` that is read here."""

    @property
    def schemas(self) -> Registry:
        """Return the schemas that are registered so far."""


class _Seen(NamedTuple):
    registered: Any
    """The registry's own object: another one means registered anew."""
    schema: Schema


class EventLoggerHandler(logging.Handler):
    """Hands the events of an event logger to an intake.

    ::

        event_logger.register_handler(EventLoggerHandler(event_logger, intake, who))
        c.EventLogger.handlers = [handler]  # any event logger of that configuration

    A handler made without an intake drops everything until `bind`: that is how a
    configuration file, which is read before there is a pipeline, can name one.
    """

    def __init__(
        self,
        event_logger: EventBus | None = None,
        intake: Intake | None = None,
        attribution: Callable[[], Attribution] = Attribution,
    ) -> None:
        super().__init__(level=logging.NOTSET)
        self._bus = event_logger
        self._intake = intake
        self._attribution = attribution
        self._seen: dict[str, _Seen] = {}
        self._inside = threading.local()
        self._faults = HookFaults("an event logger's handler")

    @property
    def is_bound(self) -> bool:
        """Whether there is an intake to hand events to."""
        return self._intake is not None

    def bind(
        self,
        intake: Intake | None,
        attribution: Callable[[], Attribution] = Attribution,
        event_logger: EventBus | None = None,
    ) -> None:
        """Hand events to this intake from now on; to none, if None."""
        self._seen = {}
        self._bus = event_logger or self._bus
        self._attribution = attribution
        self._intake = intake

    def createLock(self) -> None:  # noqa: N802  (logging's name)
        """Go without a lock: the intake is safe in any thread."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit what the filters let pass. From Python 3.13 on the base needs a lock."""
        passes = bool(self.filter(record))
        if passes:
            self.emit(record)
        return passes

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802
        """Ignore the formatter that every event logger gives: nothing is formatted."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand in one event. An event that this one causes here is left alone."""
        if self._intake is None or getattr(self._inside, "busy", False):
            return
        self._inside.busy = True
        # The edge of a hook: an exception here would reach the event's producer.
        try:
            self._take(self._intake, record.msg)
        except Exception as error:  # noqa: BLE001
            self._faults.note(error)
        finally:
            self._inside.busy = False

    def _take(self, intake: Intake, capsule: object) -> None:
        if not isinstance(capsule, dict):
            return
        schema = self._schema(intake, capsule.get("__schema__"))
        if schema is None:
            return
        known = self._attribution()
        attribution = Attribution(
            person=known.person,
            span=known.span,
            time_ns=time_of(capsule.get("__timestamp__")),
            source=known.source,
            trust=known.trust,
            validated=True,
        )
        data = {key: value for key, value in capsule.items() if key not in _CAPSULE}
        intake.emit(schema, data, attribution)

    def _schema(self, intake: Intake, schema_id: object) -> Schema | None:
        if not isinstance(schema_id, str):
            return None
        registered = self._registered(schema_id)
        seen = self._seen.get(schema_id)
        if seen is not None and seen.registered is registered:
            return seen.schema
        schema = _resolve(intake, schema_id, registered)
        if schema is not None:
            self._seen[schema_id] = _Seen(registered, schema)
        return schema

    def _registered(self, schema_id: str) -> Any:
        if self._bus is None or schema_id not in self._bus.schemas:
            return None
        return self._bus.schemas.get(schema_id)


def _resolve(intake: Intake, schema_id: str, registered: Any) -> Schema | None:
    if registered is None:
        return intake.find(schema_id)
    return intake.adopt(schema_body(registered), "event logger")


def schema_body(registered: Any) -> Mapping[str, Any]:
    """Return the JSON Schema that a registry's `EventSchema` was made from."""
    # jupyter_events offers the body only as indented JSON text, from repr().
    body: Mapping[str, Any] = registered._schema  # noqa: SLF001
    return body


def time_of(stamp: object) -> int | None:
    """Return the time of a capsule, in nanoseconds since the Unix epoch.

    jupyter_events writes ``2026-11-22T19:49:40.411683+00:00Z``, an offset and a Z;
    a naive time gets only the Z, and means UTC.

    Returns:
        None where there is no time, `UNREADABLE_TIME_NS` where it cannot be read.
    """
    if stamp is None:
        return None
    if not isinstance(stamp, str):
        return UNREADABLE_TIME_NS
    try:
        moment = datetime.fromisoformat(stamp.removesuffix("Z"))
    except ValueError:
        return UNREADABLE_TIME_NS
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    microseconds = (moment - _EPOCH) // _MICROSECOND
    return microseconds * 1000 if microseconds >= 0 else UNREADABLE_TIME_NS
