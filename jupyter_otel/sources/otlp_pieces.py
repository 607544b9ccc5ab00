"""Cuts an OTLP request into small ones before it is read, so that no thread waits long.

Reading 4 MiB of small spans at once takes 60 ms, in which the event loop stands still;
a piece takes one. Only the three outer layers are looked at, which are the same for all
signals; whether what is inside makes sense is told by whoever reads the piece.

::

    request ─ 1 ▶ resource layer ─ 2 ▶ scope layer ─ 2 ▶ record
              each layer's other fields are its head, which each piece repeats
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from jupyter_otel.tally import Signal

PIECE_BYTES = 64 * 2**10
JSON_PIECE_BYTES = 2**10
"""Of JSON, which takes a hundred times as long to read."""

MAX_LAYERS, MAX_RECORDS = 1000, 20_000
"""Of resources and scopes together, and of records: more than SDKs send at once. An
empty one of two bytes becomes a hundred in memory."""

_RESOURCES, _CHILDREN = 1, 2
"""Field numbers: in the request, in the two layers below it."""
_VARINT, _64_BIT, _LENGTH, _32_BIT = 0, 1, 2, 5
"""Wire types."""
_FIXED_BYTES = {_64_BIT: 8, _32_BIT: 4}
_MAX_VARINT_BYTES = 10

_CAPITAL = re.compile(r"[A-Z]")
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
        ValueError: The outer layers are no protobuf, or hold too much.
    """
    _, resources = _open(body, _RESOURCES, MAX_LAYERS)
    layers_left, records_left = MAX_LAYERS - len(resources), MAX_RECORDS
    for resource in resources:
        head, scopes = _open(resource, _CHILDREN, layers_left)
        layers_left -= len(scopes)
        if not scopes:
            yield _field(_RESOURCES, head)
        for scope in scopes:
            scope_head, records = _open(scope, _CHILDREN, records_left)
            records_left -= len(records)
            heads_bytes = len(head) + len(scope_head)
            for chunk in _chunks(records, max(piece_bytes, heads_bytes)):
                layer = _field(_CHILDREN, scope_head + chunk)
                yield _field(_RESOURCES, head + layer)


def json_pieces(
    signal: Signal, request: Any, piece_bytes: int = JSON_PIECE_BYTES
) -> Iterator[Mapping[str, Any]]:
    """Yield requests that together say what one says, as dictionaries.

    Args:
        signal: Of the request.
        request: As it was loaded.
        piece_bytes: As for `protobuf_pieces`.

    Raises:
        TypeError: The outer layers are not those of a request.
        ValueError: They hold too much.
    """
    outer, inner, items = _JSON_LAYERS[signal]
    _, resources = _open_json(request, outer, MAX_LAYERS)
    layers_left, records_left = MAX_LAYERS - len(resources), MAX_RECORDS
    for resource in resources:
        head, scopes = _open_json(resource, inner, layers_left)
        layers_left -= len(scopes)
        if not scopes:
            yield {outer: [head]}
        for scope in scopes:
            scope_head, records = _open_json(scope, items, records_left)
            records_left -= len(records)
            heads_bytes = _json_size(head) + _json_size(scope_head)
            for chunk in _json_chunks(records, max(piece_bytes, heads_bytes)):
                layer = {**scope_head, items: chunk}
                yield {outer: [{**head, inner: [layer]}]}


def _open(layer: bytes, number: int, most: int) -> tuple[bytes, list[bytes]]:
    """Return a layer without the fields of a number, and the content of these."""
    head, children = bytearray(), []
    at = 0
    while at < len(layer):
        key, begin = _varint(layer, at)
        end = _end(layer, key & 7, begin)
        if key == number << 3 | _LENGTH:
            _, begin = _varint(layer, begin)
            children.append(layer[begin:end])
            _check_number(children, most)
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


def _json_chunks(records: list[Any], max_bytes: int) -> Iterator[list[Any]]:
    """Yield records, as many at a time as fit; none once if there are none."""
    chunk: list[Any] = []
    size = 0
    for record in records:
        record_size = _json_size(record)
        if chunk and size + record_size > max_bytes:
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += record_size
    yield chunk


def _json_size(value: Any) -> int:
    return len(orjson.dumps(value))


def _field(number: int, content: bytes) -> bytes:
    size, encoded = len(content), bytearray((number << 3 | _LENGTH,))
    while size > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded) + content


def _open_json(layer: Any, name: str, most: int) -> tuple[dict[str, Any], list[Any]]:
    """Return a layer without the list of that name, and that."""
    if not isinstance(layer, dict):
        raise TypeError("no OTLP/JSON request")
    head = dict(layer)
    children = head.pop(name, None) or []
    # As protobuf writes it, which is no name in OTLP/JSON, but its reader takes it.
    head.pop(_CAPITAL.sub(lambda found: f"_{found[0].lower()}", name), None)
    if not isinstance(children, list):
        raise TypeError("no OTLP/JSON request")
    _check_number(children, most)
    return head, children


def _check_number(children: list[Any], most: int) -> None:
    if len(children) > most:
        raise ValueError("an OTLP request of too many parts")
