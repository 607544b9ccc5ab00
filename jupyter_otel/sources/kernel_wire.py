"""What clients ask of kernels, as it stands on the WebSocket, in both wire protocols.

Bytes and text in, small typed parts out; nothing here knows what an execution is or
keeps state. What kernels say is ``kernel_frames.py``'s. What a message is, its parsed
header says; a header that neither spells the one type out nor escapes a letter is no
execute request, and is not parsed: that is nearly all the traffic.

Whatever the server and the kernel take for an execute request is one here, however odd:
what this module cannot read would run unseen.

::

    v1.kernel.websocket.jupyter.org   bytes   [n][n offsets] channel, then the parts
    legacy                            str     one JSON object
    legacy, with buffers              bytes   [n][n offsets] that object, then buffers
    parts                                     header parent_header metadata content
                                              buffers…

The words of the v1 table have 64 bits, least significant byte first; those of the
legacy one 32, most significant first. Only the connection knows which one it is.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from struct import Struct, pack, unpack_from
from typing import Any, NamedTuple

import orjson

LISTENING = "jupyter_otel"
"""The key in a request's metadata that tells the kernel who listens to its events."""

_WORD = 8
_V1_HEADER = Struct("<16x2Q")
"""Where the header starts and ends: the second and third offset."""
_LEGACY_WORD = 4
_HEADER, _PARENT, _METADATA, _CONTENT = range(4)
# Nobody outside may carry state past the server (W3C Trace Context, Baggage), or say
# to a kernel in our name that somebody listens.
_STOPPED_AT_THE_EDGE = ("tracestate", "baggage", LISTENING)


class ExecuteRequest(NamedTuple):
    """A client's wish to run code."""

    msg_id: str
    username: str
    subprotocol_v1: bool
    metadata: dict[str, Any]
    code: str
    silent: bool
    stores_history: bool
    channel: str


def read_request(
    message: bytes | str, *, subprotocol_v1: bool = True
) -> ExecuteRequest | None:
    """Return the execute request in a client's message, if it is one."""
    if isinstance(message, str):
        return _read_legacy(message)
    if subprotocol_v1:
        return _read_v1(message)
    return _read_legacy(_legacy_parts(message)[0])


def with_metadata(
    message: bytes | str, entries: Mapping[str, Any], *, subprotocol_v1: bool = True
) -> bytes | str:
    """Return the execute request with these entries, and without a client's state."""
    if isinstance(message, str):
        return _legacy_with(message, entries)
    if not subprotocol_v1:
        text, *buffers = _legacy_parts(message)
        return _legacy_message([_legacy_with(text, entries).encode(), *buffers])
    parts = _v1_parts(message)
    metadata = _replaced(loads(parts[1 + _METADATA]), entries)
    parts[1 + _METADATA] = json.dumps(metadata).encode()
    return _v1_message(parts)


def carries_state(request: ExecuteRequest) -> bool:
    """Return whether its metadata hold what must not pass the server."""
    return not request.metadata.keys().isdisjoint(_STOPPED_AT_THE_EDGE)


def _read_v1(message: bytes) -> ExecuteRequest | None:
    if not _may_ask(_v1_header(message)):
        return None
    channel, *parts = _v1_parts(message)
    return _request(
        {
            "channel": channel.decode(errors="replace"),
            "header": loads(parts[_HEADER]),
            "metadata": loads(parts[_METADATA]),
            "content": loads(parts[_CONTENT]),
        },
        subprotocol_v1=True,
    )


def _read_legacy(message: bytes | str) -> ExecuteRequest | None:
    if isinstance(message, str):
        may_ask = '"execute_request"' in message or "\\u" in message
    else:
        may_ask = _may_ask(message)
    if not may_ask:
        return None
    return _request(loads(message), subprotocol_v1=False)


def _may_ask(text: bytes) -> bool:
    """Return False where no string in it can be the type of an execute request."""
    return b'"execute_request"' in text or b"\\u" in text


def _legacy_with(text: bytes | str, entries: Mapping[str, Any]) -> str:
    whole = loads(text)
    whole["metadata"] = _replaced(whole.get("metadata"), entries)
    return json.dumps(whole)


def _request(whole: Any, *, subprotocol_v1: bool) -> ExecuteRequest | None:
    names = ("header", "metadata", "content")
    header, metadata, content = (_object(whole.get(name)) for name in names)
    if header.get("msg_type") != "execute_request" or "msg_id" not in header:
        return None
    channel = whole.get("channel")
    return ExecuteRequest(
        msg_id=str(header["msg_id"]),
        username=str(header.get("username", "")),
        subprotocol_v1=subprotocol_v1,
        metadata=metadata,
        code=str(content.get("code", "")),
        silent=bool(content.get("silent", False)),
        stores_history=content.get("store_history", True) is not False,
        channel="shell" if channel is None else str(channel),
    )


def _replaced(metadata: Any, entries: Mapping[str, Any]) -> dict[str, Any]:
    kept = _object(metadata)
    for name in _STOPPED_AT_THE_EDGE:
        kept.pop(name, None)
    return {**kept, **entries}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _v1_header(message: bytes) -> bytes:
    """Return the header alone: most messages are let go by it."""
    if len(message) < _V1_HEADER.size:
        return b""
    start, end = _V1_HEADER.unpack_from(message)
    return message[start:end]


def _v1_parts(message: bytes) -> list[bytes]:
    """Return channel, header, parent header, metadata, content and buffers.

    jupyter_server minds no table that is longer than the message, so neither do we.
    """
    count = min(int.from_bytes(message[:_WORD], "little"), len(message) // _WORD - 1)
    offsets = unpack_from(f"<{count}Q", message, _WORD)
    return [message[start:end] for start, end in pairwise(offsets)]


def _v1_message(parts: Sequence[bytes]) -> bytes:
    offsets = [*accumulate(map(len, parts), initial=_WORD * (len(parts) + 2))]
    table = pack(f"<{1 + len(offsets)}Q", len(offsets), *offsets)
    return b"".join([table, *parts])


def _legacy_parts(message: bytes) -> list[bytes]:
    """Return the JSON object and its buffers."""
    count = int.from_bytes(message[:_LEGACY_WORD], "big")
    starts = range(_LEGACY_WORD, _LEGACY_WORD * (count + 1), _LEGACY_WORD)
    offsets = [int.from_bytes(message[at : at + _LEGACY_WORD], "big") for at in starts]
    return [message[start:end] for start, end in pairwise([*offsets, len(message)])]


def _legacy_message(parts: Sequence[bytes]) -> bytes:
    offsets = [_LEGACY_WORD * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    words = [len(parts), *offsets]
    table = [word.to_bytes(_LEGACY_WORD, "big") for word in words]
    return b"".join([*table, *parts])


def loads(text: bytes | str) -> Any:
    """Parse JSON; what orjson refuses (NaN, lone surrogates) as kernels do."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if isinstance(text, bytes):
            text = text.decode(errors="replace")
        return json.loads(text)
