"""Attributes as bytes: one encoder a key, compiled once, with what repeats remembered.

A key's bytes never change, lengths come again and so do most values: an attribute is
mostly a look-up and a concatenation. The plain road is `values.any_value`; a test holds
both equal.
"""

from math import isfinite
from typing import Any

from jupyter_otel.mapping.values import any_value, cut, shape, utf8
from jupyter_otel.mapping.wire import (
    UINT64,
    bytes_field,
    bytes_tag,
    pack_double,
    tag,
    varint,
)

_KEY, _VALUE = 1, 2
_STRING_VALUE = bytes_tag(1)
_INT_VALUE, _DOUBLE_VALUE = tag(3, 0), tag(4, 1)
_MEMO_ENTRIES = 512
_MEMO_CHARACTERS = 80
_DOUBLE_BYTES = 8
_MIN_INT64, _MAX_INT64 = -(2**63), 2**63 - 1


class _Key:
    """The bytes of one key, as an entry of a repeated ``attributes`` field."""

    def __init__(self, field: int, name: str) -> None:
        self._tag = bytes_tag(field)
        self._pair = bytes_field(_KEY, utf8(name))

    def head(self, value_head: bytes, size: int) -> bytes:
        """Return all that stands before a value of ``size`` bytes and its own head."""
        value = bytes_tag(_VALUE) + varint(len(value_head) + size) + value_head
        pair_size = len(self._pair) + len(value) + size
        return self._tag + varint(pair_size) + self._pair + value

    def text_head(self, size: int) -> bytes:
        """Return all that stands before a text of that size, in bytes of UTF-8."""
        return self.head(_STRING_VALUE + varint(size), size)

    def encode_any(self, value: Any, max_characters: int | None) -> bytes:
        """Return the attribute with any JSON value: the plain road."""
        pair = self._pair + bytes_field(
            _VALUE, any_value(cut(shape(value), max_characters))
        )
        return self._tag + varint(len(pair)) + pair


class _Texts(dict[str, bytes]):
    """A key's attribute with each text: a text not seen before is encoded."""

    def __init__(self, key: _Key, max_characters: int | None) -> None:
        super().__init__()
        self._key = key
        self._max_characters = max_characters
        self._heads: dict[int, bytes] = {}

    def __missing__(self, text: str) -> bytes:
        if self._max_characters is not None:
            text = text[: self._max_characters]
        raw = text.encode() if text.isascii() else utf8(text)
        encoded = (self._heads.get(len(raw)) or self._head(len(raw))) + raw
        if len(self) < _MEMO_ENTRIES and len(text) <= _MEMO_CHARACTERS:
            self[text] = encoded
        return encoded

    def _head(self, size: int) -> bytes:
        head = self._key.text_head(size)
        if len(self._heads) < _MEMO_ENTRIES:
            self._heads[size] = head
        return head


class _Integers(dict[int, bytes]):
    """A key's attribute with each integer: one not seen before is encoded."""

    def __init__(self, key: _Key, max_characters: int | None) -> None:
        super().__init__()
        self._key = key
        self._max_characters = max_characters
        self._heads = [key.head(_INT_VALUE, size) for size in range(11)]

    def __missing__(self, number: int) -> bytes:
        if not _MIN_INT64 <= number <= _MAX_INT64:
            return self._key.encode_any(number, self._max_characters)
        raw = varint(number & UINT64)
        encoded = self._heads[len(raw)] + raw
        if len(self) < _MEMO_ENTRIES:
            self[number] = encoded
        return encoded


class AttributeEncoder:
    """Writes one key's attribute as a field of a log record or a span.

    Args:
        field: Number of the repeated ``attributes`` field in the message.
        name: The attribute's.
        max_characters: OpenTelemetry's limit for the length of a text value.
    """

    def __init__(
        self, field: int, name: str, max_characters: int | None = None
    ) -> None:
        self._key = _Key(field, name)
        self._max_characters = max_characters
        self.texts = _Texts(self._key, max_characters)
        """The attribute by its value, where that is a text."""
        self.integers = _Integers(self._key, max_characters)
        """The same for integers; not booleans: as keys, True is 1."""
        self._double_head = self._key.head(_DOUBLE_VALUE, _DOUBLE_BYTES)
        self._yes, self._no = self._encode_any(True), self._encode_any(False)

    def encode(self, value: Any) -> bytes:
        """Return the attribute with a JSON value (not None), ready to be appended."""
        kind = type(value)
        if kind is float and isfinite(value):
            return self._double_head + pack_double(value)
        if kind is bool:
            return self._yes if value else self._no
        if kind is str:
            return self.texts[value]
        if kind is int:
            return self.integers[value]
        return self._encode_any(value)

    def text_head(self, size: int) -> bytes:
        """Return all that stands before a text of that size, in bytes of UTF-8."""
        return self._key.text_head(size)

    def _encode_any(self, value: Any) -> bytes:
        return self._key.encode_any(value, self._max_characters)
