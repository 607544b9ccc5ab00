"""The body of a log record: one line for people, made of its attributes only."""

from collections.abc import Sequence

from jupyter_otel.event import RedactedEvent
from jupyter_otel.mapping.values import shape, utf8
from jupyter_otel.mapping.wire import bytes_tag, varint
from jupyter_otel.schema import PropertyPath, rule_text

_BODY, _STRING_VALUE = bytes_tag(5), bytes_tag(1)
_MAX_PROPERTIES = 3
_MAX_CHARACTERS = 48


class BodyWriter:
    """Writes ``<event name> <property>=<value> …`` with the first few scalars.

    Args:
        event_name: Stands first.
        paths: Each slot's property.
        max_characters: OpenTelemetry's limit for a text in an attribute.
    """

    def __init__(
        self,
        event_name: str,
        paths: Sequence[PropertyPath],
        max_characters: int | None,
    ) -> None:
        self._event_name = event_name
        self._max_characters = _MAX_CHARACTERS
        if max_characters is not None:
            self._max_characters = min(max_characters, _MAX_CHARACTERS)
        self._heads: dict[int, bytes] = {}
        self._labels = [
            (place, f" {path[-1]}=") for place, path in enumerate(paths) if path
        ]

    def write(self, event: RedactedEvent) -> bytes:
        """Return the body field of the event's log record."""
        words, shown, values = self._event_name, 0, event.values
        limit = self._max_characters
        for place, label in self._labels:
            value = values[place]
            if value is None:
                continue
            kind = type(value)
            if kind is str:
                if len(value) <= limit and value.isprintable():
                    words += label + value
                else:
                    words += label + self._short(value)
            elif kind is list or kind is dict:
                continue
            else:
                words += label + self._short(rule_text(shape(value)) or "")
            shown += 1
            if shown == _MAX_PROPERTIES:
                break
        text = utf8(words)
        return (self._heads.get(len(text)) or self._head(len(text))) + text

    def bare(self) -> bytes:
        """Return the body of records that lost attributes: it must not show them."""
        text = utf8(self._event_name)
        return self._head(len(text)) + text

    def _head(self, size: int) -> bytes:
        """Return what stands before a body of that size: tags and lengths."""
        inner = _STRING_VALUE + varint(size)
        head = self._heads[size] = _BODY + varint(len(inner) + size) + inner
        return head

    def _short(self, text: str) -> str:
        if len(text) > self._max_characters:
            text = text[: self._max_characters - 1] + "…"
        return text if text.isprintable() else _one_line(text)


def _one_line(text: str) -> str:
    """Return text without what moves a cursor: line ends, escapes, overrides."""
    printable = (char if char.isprintable() else " " for char in text)
    return " ".join("".join(printable).split())
