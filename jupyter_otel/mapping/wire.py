"""The few shapes of the Protocol Buffers wire format that OTLP needs.

https://protobuf.dev/programming-guides/encoding/ ; the official classes are the
oracle in the tests.
"""

import struct

UINT64 = 0xFFFF_FFFF_FFFF_FFFF

_MORE = 0x80
"""The bit that says that another byte follows."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
pack_double = struct.Struct("<d").pack
_pack_fixed64 = struct.Struct("<Q").pack
_pack_fixed32 = struct.Struct("<I").pack


def varint(value: int) -> bytes:
    """Return a non-negative integer, 7 bits a byte, the lowest first."""
    if value < _MORE:
        return _ONE_BYTE[value]
    if value < _MORE * _MORE:
        return bytes((value & 0x7F | _MORE, value >> 7))
    if value < _MORE * _MORE * _MORE:
        return bytes((value & 0x7F | _MORE, value >> 7 & 0x7F | _MORE, value >> 14))
    out = bytearray()
    while value >= _MORE:
        out.append(value & 0x7F | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


_ONE_BYTE = tuple(bytes((value,)) for value in range(_MORE))


def tag(field: int, wire_type: int) -> bytes:
    """Return the key that stands before a field."""
    return varint(field << 3 | wire_type)


def bytes_tag(field: int) -> bytes:
    """Return the key of a text, bytes or message field."""
    return tag(field, _BYTES)


def bytes_field(field: int, value: bytes) -> bytes:
    """Return a text, bytes or message field, also if it is empty."""
    return tag(field, _BYTES) + varint(len(value)) + value


def varint_field(field: int, value: int) -> bytes:
    """Return an integer, boolean or enum field; negative ones as two's complement."""
    return tag(field, _VARINT) + varint(value & UINT64)


def fixed64_field(field: int, value: int) -> bytes:
    """Return an unsigned 64-bit field of fixed width."""
    return tag(field, _FIXED64) + _pack_fixed64(value & UINT64)


def fixed32_field(field: int, value: int) -> bytes:
    """Return an unsigned 32-bit field of fixed width."""
    return tag(field, _FIXED32) + _pack_fixed32(value)


def double_field(field: int, value: float) -> bytes:
    """Return a 64-bit floating point field."""
    return tag(field, _FIXED64) + pack_double(value)
