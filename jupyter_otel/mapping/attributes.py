"""Attributes as bytes: one encoder a key, compiled once, with what repeats remembered.

A key's bytes never change and most values come again, so that an attribute is mostly
one lookup. The plain road is `values.any_value`; a test holds both equal.
"""

from typing import Any

from jupyter_otel.mapping.values import any_value, cut, shape, utf8
from jupyter_otel.mapping.wire import bytes_field, bytes_tag, varint

_KEY, _VALUE, _STRING_VALUE = 1, 2, 1
_MEMO_ENTRIES = 512
_MEMO_CHARACTERS = 80
_HEAD_BYTES = 1024


class AttributeEncoder:
    """Writes one key's attribute as a field of a log record or a span.

    Args:
        field: Number of the repeated ``attributes`` field in the message.
        key: The attribute's name.
        max_characters: OpenTelemetry's limit for the length of a text value.
    """

    __slots__ = ("_heads", "_key", "_max_characters", "_memo", "_scalars", "_tag")

    def __init__(self, field: int, key: str, max_characters: int | None = None) -> None:
        self._tag = bytes_tag(field)
        self._key = bytes_field(_KEY, utf8(key))
        self._max_characters = max_characters
        self._memo: dict[str, bytes] = {}
        self._scalars: dict[tuple[type, Any], bytes] = {}
        self._heads: dict[int, bytes] = {}

    def encode(self, value: Any) -> bytes:
        """Return the attribute with a JSON value (not None), ready to be appended."""
        kind = type(value)
        if kind is str:
            return self._memo.get(value) or self._encode_text(value)
        if kind is int or kind is bool:
            # 1, 1.0 and True are one key of a dict: the type tells them apart.
            key = (kind, value)
            return self._scalars.get(key) or self._encode_scalar(key)
        return self._encode_any(value)

    def encode_once(self, text: str) -> bytes:
        """Return the attribute with an ASCII text that will not come again."""
        raw = text[: self._max_characters].encode()
        return self._head(len(raw)) + raw

    def _encode_text(self, text: str) -> bytes:
        raw = utf8(text[: self._max_characters])
        encoded = self._head(len(raw)) + raw
        if len(text) <= _MEMO_CHARACTERS and len(self._memo) < _MEMO_ENTRIES:
            self._memo[text] = encoded
        return encoded

    def _encode_scalar(self, key: tuple[type, Any]) -> bytes:
        encoded = self._encode_any(key[1])
        if len(self._scalars) < _MEMO_ENTRIES:
            self._scalars[key] = encoded
        return encoded

    def _encode_any(self, value: Any) -> bytes:
        shaped = cut(shape(value), self._max_characters)
        pair = self._key + bytes_field(_VALUE, any_value(shaped))
        return self._tag + varint(len(pair)) + pair

    def _head(self, size: int) -> bytes:
        """Return all that stands before a text of ``size`` bytes."""
        head = self._heads.get(size)
        if head is None:
            text = bytes_tag(_STRING_VALUE) + varint(size)
            value = bytes_tag(_VALUE) + varint(len(text) + size) + text
            pair_size = len(self._key) + len(value) + size
            head = self._tag + varint(pair_size) + self._key + value
            if size < _HEAD_BYTES:
                self._heads[size] = head
        return head
