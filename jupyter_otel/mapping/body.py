"""The body of a log record: one line for people, made of its attributes only."""

from collections.abc import Sequence
from typing import Any

from jupyter_otel.event import RedactedEvent
from jupyter_otel.mapping.severity import as_key
from jupyter_otel.mapping.values import shape, utf8
from jupyter_otel.mapping.wire import bytes_tag, varint
from jupyter_otel.schema import PropertyPath

_BODY, _STRING_VALUE = 5, 1
_MAX_PROPERTIES = 3
_MAX_CHARACTERS = 48
_MEMO_ENTRIES = 512


class BodyWriter:
    """Writes ``<event name> <property>=<value> …`` with the first few scalars.

    Args:
        event_name: Stands first.
        paths: Each slot's property.
        attributes: Each slot's attribute; None where another property has its name.
        max_characters: OpenTelemetry's limit for a text in an attribute.
    """

    def __init__(
        self,
        event_name: str,
        paths: Sequence[PropertyPath],
        attributes: Sequence[str | None],
        max_characters: int | None,
    ) -> None:
        self._event_name = event_name.encode()
        self._max_characters = min(max_characters or _MAX_CHARACTERS, _MAX_CHARACTERS)
        named = zip(paths, attributes, strict=True)
        self._labels = [
            (place, f" {path[-1]}=")
            for place, (path, attribute) in enumerate(named)
            if path and attribute is not None
        ]
        self._heads: dict[int, bytes] = {}
        self._memo: dict[tuple[int, str], bytes] = {}

    def write(self, event: RedactedEvent) -> bytes:
        """Return the body field of the event's log record."""
        words = [self._event_name]
        for place, label in self._labels:
            value = event.values[place]
            if value is None or type(value) in (list, dict):
                continue
            if type(value) is str:
                known = self._memo.get((place, value))
                words.append(known or self._remember(place, label, value))
            else:
                words.append(self._word(label, value))
            if len(words) > _MAX_PROPERTIES:
                break
        text = b"".join(words)
        head = self._heads.get(len(text)) or self._remember_head(len(text))
        return head + text

    def _remember_head(self, size: int) -> bytes:
        """Return what stands before a body of that size: lengths and tags."""
        inner = bytes_tag(_STRING_VALUE) + varint(size)
        head = bytes_tag(_BODY) + varint(len(inner) + size) + inner
        if len(self._heads) < _MEMO_ENTRIES:
            self._heads[size] = head
        return head

    def _remember(self, place: int, label: str, value: str) -> bytes:
        word = self._word(label, value)
        if len(self._memo) < _MEMO_ENTRIES and len(value) <= 2 * _MAX_CHARACTERS:
            self._memo[place, value] = word
        return word

    def _word(self, label: str, value: Any) -> bytes:
        text = as_key(shape(value))
        if len(text) > self._max_characters:
            text = text[: self._max_characters - 1] + "…"
        if not text.isprintable():
            text = _one_line(text)
        return utf8(label + text)


def _one_line(text: str) -> str:
    """Return text without what moves a cursor: line ends, escapes, overrides."""
    printable = (char if char.isprintable() else " " for char in text)
    return " ".join("".join(printable).split())
