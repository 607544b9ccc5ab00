"""Attributes as bytes: one encoder a key, compiled once, with what repeats remembered.

A key's bytes never change, lengths come again and so do most values: an attribute is
mostly a look-up and a concatenation. The plain road is `values.any_value`; a test holds
both equal.
"""

from collections.abc import Callable
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


class AttributeEncoder:
    """Writes one key's attribute as a field of a log record or a span.

    Args:
        field: Number of the repeated ``attributes`` field in the message.
        key: The attribute's name.
        max_characters: OpenTelemetry's limit for the length of a text value.
    """

    __slots__ = (
        "_double_head",
        "_heads",
        "_key",
        "_max_characters",
        "_memo",
        "_no",
        "_tag",
        "_yes",
        "remembered",
    )

    remembered: Callable[[str | int], bytes | None]
    """Returns what `encode` did for a text or an integer, if it is remembered.

    Not for a boolean or a float: as keys, True and 1.0 are 1.
    """

    def __init__(self, field: int, key: str, max_characters: int | None = None) -> None:
        self._tag = bytes_tag(field)
        self._key = bytes_field(_KEY, utf8(key))
        self._max_characters = max_characters
        self._memo: dict[str | int, bytes] = {}
        self._heads: dict[int, bytes] = {}
        self.remembered = self._memo.get
        self._double_head = self._head(_DOUBLE_VALUE, _DOUBLE_BYTES)
        self._yes, self._no = self._encode_any(True), self._encode_any(False)

    def encode(self, value: Any) -> bytes:
        """Return the attribute with a JSON value (not None), ready to be appended."""
        kind = type(value)
        if kind is str:
            return self._encode_text(value)
        if kind is int and _MIN_INT64 <= value <= _MAX_INT64:
            return self._encode_int(value)
        if kind is float and isfinite(value):
            return self._double_head + pack_double(value)
        if kind is bool:
            return self._yes if value else self._no
        return self._encode_any(value)

    def text_head(self, size: int) -> bytes:
        """Return all that stands before a text of that size, in bytes of UTF-8."""
        head = self._head(_STRING_VALUE + varint(size), size)
        if len(self._heads) < _MEMO_ENTRIES:
            self._heads[size] = head
        return head

    def _encode_text(self, text: str) -> bytes:
        if self._max_characters is not None:
            text = text[: self._max_characters]
        raw = text.encode() if text.isascii() else utf8(text)
        encoded = (self._heads.get(len(raw)) or self.text_head(len(raw))) + raw
        if len(self._memo) < _MEMO_ENTRIES and len(text) <= _MEMO_CHARACTERS:
            self._memo[text] = encoded
        return encoded

    def _encode_int(self, number: int) -> bytes:
        raw = varint(number & UINT64)
        # Lengths of integers are kept as negative ones, beside those of texts.
        head = self._heads.get(-len(raw)) or self._int_head(len(raw))
        encoded = head + raw
        if len(self._memo) < _MEMO_ENTRIES:
            self._memo[number] = encoded
        return encoded

    def _encode_any(self, value: Any) -> bytes:
        """Take the plain road."""
        shaped = cut(shape(value), self._max_characters)
        pair = self._key + bytes_field(_VALUE, any_value(shaped))
        return self._tag + varint(len(pair)) + pair

    def _int_head(self, size: int) -> bytes:
        head = self._heads[-size] = self._head(_INT_VALUE, size)
        return head

    def _head(self, value_head: bytes, size: int) -> bytes:
        """Return all that stands before a value of ``size`` bytes and its own head."""
        value = bytes_tag(_VALUE) + varint(len(value_head) + size) + value_head
        pair_size = len(self._key) + len(value) + size
        return self._tag + varint(pair_size) + self._key + value
