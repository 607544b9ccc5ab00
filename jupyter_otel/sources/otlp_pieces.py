"""Cuts an OTLP request into small ones before it is read, so that no thread waits long.

Reading 4 MiB of small spans at once takes 60 ms, in which the event loop stands still;
a piece takes one. Only the three outer layers are looked at, which are the same for all
signals; whether what is inside makes sense is told by whoever reads the piece.

::

    request ─ 1 ▶ resource layer ─ 2 ▶ scope layer ─ 2 ▶ record
              each layer's other fields are its head, which each piece repeats
"""

from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_otel.tally import Signal

PIECE_BYTES = 64 * 2**10
PIECE_RECORDS = 64
"""Of JSON, whose records take longer than their size says."""

_RESOURCES, _CHILDREN = 1, 2
"""Field numbers: in the request, in the two layers below it."""
_VARINT, _64_BIT, _LENGTH, _32_BIT = 0, 1, 2, 5
"""Wire types."""
_FIXED_BYTES = {_64_BIT: 8, _32_BIT: 4}
_MAX_VARINT_BYTES = 10

_JSON_LAYERS = {
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
    Signal.METRICS: ("resourceMetrics", "scopeMetrics", "metrics"),
}


def protobuf_pieces(body: bytes, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """Yield serialized requests that together say what one says.

    Args:
        body: The one.
        piece_bytes: How large one is that has several records, about; more where the
            heads that it repeats are larger, so that all is not much more than the one.

    Raises:
        ValueError: The outer layers are no protobuf.
    """
    _, resources = _open(body, _RESOURCES)
    for resource in resources:
        head, scopes = _open(resource, _CHILDREN)
        if not scopes:
            yield _field(_RESOURCES, head)
        for scope in scopes:
            scope_head, records = _open(scope, _CHILDREN)
            heads_bytes = len(head) + len(scope_head)
            for chunk in _chunks(records, max(piece_bytes, heads_bytes)):
                layer = _field(_CHILDREN, scope_head + chunk)
                yield _field(_RESOURCES, head + layer)


def json_pieces(signal: Signal, request: Any) -> Iterator[Mapping[str, Any]]:
    """Yield requests that together say what one says, as dictionaries.

    Raises:
        TypeError: The outer layers are not those of a request.
    """
    outer, inner, items = _JSON_LAYERS[signal]
    rest, resources = _open_json(request, outer)
    if rest:  # a request in names as protobuf writes them, or what nobody knows
        yield rest
    for resource in resources:
        head, scopes = _open_json(resource, inner)
        if not scopes:
            yield {outer: [head]}
        for scope in scopes:
            scope_head, records = _open_json(scope, items)
            for first in range(0, max(len(records), 1), PIECE_RECORDS):
                chunk = records[first : first + PIECE_RECORDS]
                layer = {**scope_head, items: chunk}
                yield {outer: [{**head, inner: [layer]}]}


def _open(layer: bytes, number: int) -> tuple[bytes, list[bytes]]:
    """Return a layer without the fields of a number, and the content of these."""
    head, children = bytearray(), []
    at = 0
    while at < len(layer):
        key, begin = _varint(layer, at)
        end = _end(layer, key & 7, begin)
        if key == number << 3 | _LENGTH:
            _, begin = _varint(layer, begin)
            children.append(layer[begin:end])
        else:
            head += layer[at:end]
        at = end
    return bytes(head), children


def _end(layer: bytes, wire_type: int, begin: int) -> int:
    """Return where the value that begins there ends."""
    if wire_type == _VARINT:
        _, end = _varint(layer, begin)
    elif wire_type == _LENGTH:
        size, begin = _varint(layer, begin)
        end = begin + size
    elif wire_type in _FIXED_BYTES:
        end = begin + _FIXED_BYTES[wire_type]
    else:  # a group, which OTLP has none of
        raise ValueError("no OTLP request")
    if end > len(layer):
        raise ValueError("no whole OTLP request")
    return end


def _varint(layer: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins there, and where it ends."""
    number = 0
    for place in range(_MAX_VARINT_BYTES):
        if at + place >= len(layer):
            break
        byte = layer[at + place]
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 - the bit that says there is more
            return number, at + place + 1
    raise ValueError("no whole OTLP request")


def _chunks(records: list[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield records as fields, as many at a time as fit; nothing once if none."""
    chunk = bytearray()
    for record in records:
        if chunk and len(chunk) + len(record) > max_bytes:
            yield bytes(chunk)
            chunk.clear()
        chunk += _field(_CHILDREN, record)
    yield bytes(chunk)


def _field(number: int, content: bytes) -> bytes:
    size, encoded = len(content), bytearray((number << 3 | _LENGTH,))
    while size > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded) + content


def _open_json(layer: Any, name: str) -> tuple[dict[str, Any], list[Any]]:
    """Return a layer without the list of that name, and that."""
    if not isinstance(layer, dict):
        raise TypeError("no OTLP/JSON request")
    head = dict(layer)
    children = head.pop(name, None) or []
    if not isinstance(children, list):
        raise TypeError("no OTLP/JSON request")
    return head, children
