"""Reads the body of an OTLP/HTTP request that anybody may have written.

Bounded before it is understood: a body that unpacks to more than `MAX_BYTES` is never
held whole. What becomes of a request that could be read is in ``otlp_relay.py``.
"""

import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from jupyter_otel.export.otlp_json import from_dict
from jupyter_otel.export.services import SERVICES
from jupyter_otel.sources.otlp_pieces import json_pieces, protobuf_pieces
from jupyter_otel.tally import Signal
from jupyter_otel.worker import Turns

MAX_BYTES = 4 * 2**20
"""Of a body, as it comes and unpacked: what every receiver takes in one request."""
MAX_JSON_BYTES = 2**20
"""Of JSON, unpacked: it takes a hundred times as long to read."""
PROTOBUF, JSON = "application/x-protobuf", "application/json"

_WINDOWS = {"gzip": 31, "deflate": 15}
"""zlib's names of the formats."""


class Refused(NamedTuple):
    """Why a request is not taken, as HTTP says it."""

    status: int
    text: str


def read_type(content_type: str) -> str | None:
    """Return which of OTLP's two encodings a header names; None: neither."""
    stated = content_type.partition(";")[0].strip().lower()
    return stated if stated in (PROTOBUF, JSON) else None


def read_encoding(content_encoding: str) -> str | None:
    """Return which compression a header names, empty for none; None: an unknown one."""
    stated = content_encoding.strip().lower()
    if stated in ("", "identity"):
        return ""
    return stated if stated in _WINDOWS else None


def read_requests(
    signal: Signal, body: bytes, *, content_type: str, encoding: str
) -> list[Any] | Refused:
    """Return the ``Export…ServiceRequest`` in a body, cut into small ones.

    Args:
        signal: Of the request.
        body: As it came.
        content_type: `PROTOBUF` or `JSON`.
        encoding: gzip, deflate or empty.
    """
    text = _unpack(body, encoding) if encoding else body
    if isinstance(text, Refused):
        return text
    max_bytes = MAX_JSON_BYTES if content_type == JSON else MAX_BYTES
    if len(text) > max_bytes:
        return Refused(413, f"Such a request may have {max_bytes} bytes, unpacked.")
    read = _read_json if content_type == JSON else _read_protobuf
    turns, requests = Turns(), []
    try:
        for request in read(signal, text):
            requests.append(request)
            turns.give()
    except (DecodeError, TypeError, ValueError):
        return Refused(400, f"The body is no OTLP {signal} request.")
    return requests


def _read_protobuf(signal: Signal, text: bytes) -> Iterator[Any]:
    for piece in protobuf_pieces(text):
        request = SERVICES[signal].request.FromString(piece)
        # What we cannot look into does not leave.
        request.DiscardUnknownFields()
        yield request


def _read_json(signal: Signal, text: bytes) -> Iterator[Any]:
    for piece in json_pieces(signal, orjson.loads(text)):
        yield from_dict(signal, piece)


def _unpack(body: bytes, encoding: str) -> bytes | Refused:
    unpacker = zlib.decompressobj(_WINDOWS[encoding])
    try:
        text = unpacker.decompress(body, MAX_BYTES + 1)
    except zlib.error:
        return Refused(400, f"The body is no {encoding}.")
    if len(text) <= MAX_BYTES and (not unpacker.eof or unpacker.unused_data):
        return Refused(400, f"The body is no whole {encoding}.")
    return text
