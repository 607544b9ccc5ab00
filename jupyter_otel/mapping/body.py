"""The body of a log record: one line for people, made of its attributes only."""

from collections.abc import Sequence
from typing import Any

from jupyter_otel.event import RedactedEvent
from jupyter_otel.mapping.severity import as_key
from jupyter_otel.mapping.values import any_value
from jupyter_otel.mapping.wire import bytes_field
from jupyter_otel.schema import PropertyPath

_BODY = 5
_MAX_PROPERTIES = 3
_MAX_CHARACTERS = 48


class BodyWriter:
    """Writes ``<event name> <property>=<value> …`` with the first few scalars.

    Args:
        event_name: Stands first.
        paths: Each slot's property.
        attributes: Each slot's attribute; None where another property has its name.
    """

    def __init__(
        self,
        event_name: str,
        paths: Sequence[PropertyPath],
        attributes: Sequence[str | None],
    ) -> None:
        self._event_name = event_name
        self._labels = [
            (place, f" {path[-1]}=")
            for place, (path, attribute) in enumerate(
                zip(paths, attributes, strict=True)
            )
            if path and attribute is not None
        ]

    def write(self, event: RedactedEvent) -> bytes:
        """Return the body field of the event's log record."""
        words = [self._event_name]
        for place, label in self._labels:
            value = event.values[place]
            if value is None or type(value) in (list, dict):
                continue
            words.append(label + _short(value))
            if len(words) > _MAX_PROPERTIES:
                break
        return bytes_field(_BODY, any_value("".join(words)))


def _short(value: Any) -> str:
    text = as_key(value)
    if len(text) > _MAX_CHARACTERS:
        text = text[: _MAX_CHARACTERS - 1] + "…"
    return text if text.isprintable() else " ".join(text.split())
