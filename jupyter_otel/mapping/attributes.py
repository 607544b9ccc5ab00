"""Attributes as bytes: one encoder a key, compiled once, with what repeats remembered.

A key's bytes never change, lengths come again and so do most values: an attribute is
mostly a look-up and a concatenation. The plain road is `values.any_value`; a test holds
both equal.
"""

import struct
from collections.abc import Callable
from math import isfinite
from typing import Any

from jupyter_otel.mapping.values import any_value, cut, shape, utf8
from jupyter_otel.mapping.wire import UINT64, bytes_field, bytes_tag, tag, varint

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

    __slots__ = ("_heads", "_key", "_max_characters", "_memo", "_tag", "encode")

    encode: Callable[[Any], bytes]
    """Returns the attribute with a JSON value (not None), ready to be appended."""

    def __init__(self, field: int, key: str, max_characters: int | None = None) -> None:
        self._tag = bytes_tag(field)
        self._key = bytes_field(_KEY, utf8(key))
        self._max_characters = max_characters
        self._memo: dict[str | int, bytes] = {}
        self._heads: dict[int, bytes] = {}
        self.encode = self._compile()

    def encode_once(self, text: str) -> bytes:
        """Return the attribute with an ASCII text that will not come again."""
        raw = text[: self._max_characters].encode()
        return (self._heads.get(len(raw)) or self._text_head(len(raw))) + raw

    def _compile(self) -> Callable[[Any], bytes]:
        """Return `encode` as a closure: it runs for every value of every event."""
        remembered = self._memo.get
        encode_text, encode_int = self._encode_text, self._encode_int
        yes, no = self._encode_any(True), self._encode_any(False)
        double_head = self._head(_DOUBLE_VALUE, _DOUBLE_BYTES)
        pack = struct.Struct("<d").pack

        def encode(value: Any) -> bytes:
            kind = type(value)
            if kind is str:
                return remembered(value) or encode_text(value)
            # bool is told apart by its type: True and 1 are one key of a dict.
            if kind is int:
                return remembered(value) or encode_int(value)
            if kind is float and isfinite(value):
                return double_head + pack(value)
            if kind is bool:
                return yes if value else no
            return self._encode_any(value)

        return encode

    def _encode_text(self, text: str) -> bytes:
        raw = utf8(text[: self._max_characters])
        encoded = (self._heads.get(len(raw)) or self._text_head(len(raw))) + raw
        if len(text) <= _MEMO_CHARACTERS and len(self._memo) < _MEMO_ENTRIES:
            self._memo[text] = encoded
        return encoded

    def _encode_int(self, number: int) -> bytes:
        if not _MIN_INT64 <= number <= _MAX_INT64:
            return self._encode_any(number)
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

    def _text_head(self, size: int) -> bytes:
        head = self._head(_STRING_VALUE + varint(size), size)
        if len(self._heads) < _MEMO_ENTRIES:
            self._heads[size] = head
        return head

    def _int_head(self, size: int) -> bytes:
        head = self._heads[-size] = self._head(_INT_VALUE, size)
        return head

    def _head(self, value_head: bytes, size: int) -> bytes:
        """Return all that stands before a value of ``size`` bytes and its own head."""
        value = bytes_tag(_VALUE) + varint(len(value_head) + size) + value_head
        pair_size = len(self._key) + len(value) + size
        return self._tag + varint(pair_size) + self._key + value
