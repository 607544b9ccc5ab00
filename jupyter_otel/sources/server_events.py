"""Events of a jupyter_events `EventLogger`, taken in as they are logged.

The handler does the least that can be done on the producer's thread: it finds the
schema by one dictionary look-up and hands the data to the intake.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from jupyter_otel.event import Attribution, Intake, read_time
from jupyter_otel.schema import Schema
from jupyter_otel.sources.bus_handler import BusHandler
from jupyter_otel.tally import Refusal

_CAPSULE = frozenset(
    {"__timestamp__", "__schema__", "__schema_version__", "__metadata_version__"}
)


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


class EventLoggerHandler(BusHandler):
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
        super().__init__("an event logger's handler")
        self._bus = event_logger
        self._intake = intake
        self._attribution = attribution
        self._seen: dict[str, _Seen] = {}

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

    def take(self, event: Mapping[str, Any]) -> None:
        """Hand in one event."""
        if self._intake is None:
            return
        schema = self._schema(self._intake, event.get("__schema__"))
        if schema is None:
            self._intake.refuse(Refusal.UNKNOWN_SCHEMA)
            return
        known = self._attribution()
        attribution = Attribution(
            person=known.person,
            span=known.span,
            time_ns=read_time(event.get("__timestamp__")),
            source=known.source,
            trust=known.trust,
            validated=True,
        )
        data = {key: value for key, value in event.items() if key not in _CAPSULE}
        self._intake.emit(schema, data, attribution)

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
