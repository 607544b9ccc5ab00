"""Kernel messages as they stand on the server's WebSocket, in both wire protocols.

Bytes and text in, small typed parts out; nothing here knows what an execution is or
keeps state. Messages of other kinds are told apart by a substring test of their
header, before anything is parsed: that is nearly all the traffic.

::

    v1.kernel.websocket.jupyter.org   bytes   [n][n offsets] channel, then the parts
    legacy                            str     one JSON object
    from the kernel (ZMQ)             frames  identities… <IDS|MSG> signature, then
                                              the parts
    parts                                     header parent_header metadata content
                                              buffers…

The words of the v1 table have 64 bits, least significant byte first.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import orjson

_V1_WORD = 8
_DELIMITER = b"<IDS|MSG>"
_HEADER, _PARENT, _METADATA, _CONTENT = range(4)
KERNEL_EVENT = "jupyter_otel_event"
"""The type of the messages in which our part of a kernel reports events."""
LISTENING = "jupyter_otel"
"""The key in a request's metadata that tells the kernel who listens to these."""
_EVENT_MARK = f'"{KERNEL_EVENT}"'
_EVENT_MARK_BYTES = _EVENT_MARK.encode()
_HEADER_REACH = 4096
"""Within so many characters stands the header of a legacy message: it comes first."""
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


class KernelMessage(NamedTuple):
    """What the kernel sent about a request."""

    msg_type: str
    parent_id: str
    content: bytes | str | Mapping[str, Any]
    """JSON as it came, or parsed where the whole message had to be."""
    size_bytes: int
    """Content and buffers; of a legacy message, the whole of it."""

    def parsed(self) -> Mapping[str, Any]:
        """Return the content, parsed; empty where it is no object."""
        content = self.content
        if isinstance(content, (bytes, str)):
            content = _loads(content)
        return content if isinstance(content, Mapping) else {}


def read_request(message: bytes | str) -> ExecuteRequest | None:
    """Return the execute request in a client's message, if it is one.

    Legacy messages with binary buffers are not read: no client runs code by one.
    """
    if isinstance(message, str):
        return _read_legacy(message)
    return _read_v1(message)


def with_metadata(message: bytes | str, entries: Mapping[str, Any]) -> bytes | str:
    """Return the execute request with these entries, and without a client's state."""
    if isinstance(message, str):
        whole = _loads(message)
        whole["metadata"] = _replaced(whole.get("metadata"), entries)
        return json.dumps(whole)
    parts = _v1_parts(message)
    metadata = _replaced(_loads(parts[1 + _METADATA]), entries)
    parts[1 + _METADATA] = json.dumps(metadata).encode()
    return _v1_message(parts)


def carries_state(request: ExecuteRequest) -> bool:
    """Return whether its metadata hold what must not pass the server."""
    return not request.metadata.keys().isdisjoint(_STOPPED_AT_THE_EDGE)


def read_frames(frames: Sequence[bytes]) -> KernelMessage | None:
    """Return what a kernel's ZMQ message says about a request, if it has a parent."""
    first = frames.index(_DELIMITER) + 2
    parent = _loads(frames[first + _PARENT])
    parent_id = parent.get("msg_id")
    if not isinstance(parent_id, str):
        return None
    return KernelMessage(
        msg_type=_loads(frames[first + _HEADER]).get("msg_type", ""),
        parent_id=parent_id,
        content=frames[first + _CONTENT],
        size_bytes=sum(map(len, frames[first + _CONTENT :])),
    )


def read_relayed(message: str) -> KernelMessage | None:
    """Return what a gateway's legacy message says about a request."""
    whole = _loads(message)
    parent_id = (whole.get("parent_header") or {}).get("msg_id")
    if not isinstance(parent_id, str):
        return None
    return KernelMessage(
        msg_type=whole.get("header", {}).get("msg_type", ""),
        parent_id=parent_id,
        content=whole.get("content") or {},
        size_bytes=len(message),
    )


def read_event_frames(frames: Sequence[bytes]) -> bytes | None:
    """Return the content of a kernel's ZMQ message, if it is one with events."""
    first = frames.index(_DELIMITER) + 2
    header = frames[first + _HEADER]
    if _EVENT_MARK_BYTES not in header:
        return None
    is_event = _loads(header).get("msg_type") == KERNEL_EVENT
    return frames[first + _CONTENT] if is_event else None


def read_relayed_event(message: str) -> bytes | None:
    """Return the content of a gateway's legacy message, if it is one with events."""
    if message.find(_EVENT_MARK, 0, _HEADER_REACH) < 0:
        return None
    whole = _loads(message)
    if whole.get("header", {}).get("msg_type") != KERNEL_EVENT:
        return None
    return json.dumps(whole.get("content")).encode()


def _read_v1(message: bytes) -> ExecuteRequest | None:
    header = message[_v1_offset(message, 1) : _v1_offset(message, 2)]
    if b'"execute_request"' not in header:
        return None
    parts = _v1_parts(message)
    return _request(
        _loads(parts[1 + _HEADER]),
        _loads(parts[1 + _METADATA]),
        _loads(parts[1 + _CONTENT]),
        subprotocol_v1=True,
    )


def _read_legacy(message: str) -> ExecuteRequest | None:
    if '"execute_request"' not in message:
        return None
    whole = _loads(message)
    return _request(
        whole.get("header") or {},
        whole.get("metadata") or {},
        whole.get("content") or {},
        subprotocol_v1=False,
    )


def _request(
    header: dict[str, Any],
    metadata: dict[str, Any],
    content: dict[str, Any],
    *,
    subprotocol_v1: bool,
) -> ExecuteRequest | None:
    if header.get("msg_type") != "execute_request":
        return None
    return ExecuteRequest(
        msg_id=str(header.get("msg_id", "")),
        username=str(header.get("username", "")),
        subprotocol_v1=subprotocol_v1,
        metadata=metadata,
        code=str(content.get("code", "")),
        silent=bool(content.get("silent", False)),
    )


def _replaced(metadata: Any, entries: Mapping[str, Any]) -> dict[str, Any]:
    kept = metadata if isinstance(metadata, dict) else {}
    for name in _STOPPED_AT_THE_EDGE:
        kept.pop(name, None)
    return {**kept, **entries}


def _v1_offset(message: bytes, index: int) -> int:
    start = _V1_WORD * (1 + index)
    return int.from_bytes(message[start : start + _V1_WORD], "little")


def _v1_parts(message: bytes) -> list[bytes]:
    """Return channel, header, parent header, metadata, content and buffers."""
    count = int.from_bytes(message[:_V1_WORD], "little")
    offsets = [_v1_offset(message, index) for index in range(count)]
    return [message[start:end] for start, end in pairwise(offsets)]


def _v1_message(parts: Sequence[bytes]) -> bytes:
    offsets = [_V1_WORD * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    words = [len(offsets), *offsets]
    table = [word.to_bytes(_V1_WORD, "little") for word in words]
    return b"".join([*table, *parts])


def _loads(text: bytes | str) -> Any:
    """Parse JSON; what orjson refuses (NaN, lone surrogates) the slow way."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
