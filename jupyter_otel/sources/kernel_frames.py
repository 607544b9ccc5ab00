"""What kernels say, as it stands in their messages.

Bytes and text in, small typed parts out; nothing here knows what an execution is or
keeps state. What clients ask is ``kernel_wire.py``'s. Nothing a kernel sends makes one
of these raise: what is no message is about nothing.

::

    from the kernel (ZMQ)    frames  identities… <IDS|MSG> signature, then the parts
    from a gateway           str     one JSON object
    parts                            header parent_header metadata content buffers…
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from jupyter_otel.event import new

KERNEL_EVENT = "jupyter_otel_event"
"""The type of the messages in which our part of a kernel reports events."""

_DELIMITER = b"<IDS|MSG>"
_HEADER, _PARENT, _METADATA, _CONTENT = range(4)
_DEATHS = frozenset({"restarting", "dead"})
_MAX_DEATH = 4096
_EXECUTION = b'"execute_request"'
_EVENT_MARK = f'"{KERNEL_EVENT}"'
_EVENT_MARK_BYTES = _EVENT_MARK.encode()
_HEADER_REACH = 4096
"""Within so many characters a gateway's message has its header: it comes first."""


class KernelMessage(NamedTuple):
    """What the kernel sent about a request."""

    msg_type: str
    parent_id: str
    content: bytes | Mapping[str, Any]
    """JSON as it came, or parsed where the whole message had to be."""
    size_bytes: int
    """Content and buffers; of a gateway's message, the whole of it."""

    def parsed(self) -> Mapping[str, Any]:
        """Return the content, parsed; empty where it is no object."""
        content = self.content
        return content if isinstance(content, Mapping) else read_object(content)


def parts_of(frames: Sequence[bytes]) -> Sequence[bytes] | None:
    """Return header, parent header, metadata, content and buffers of a message."""
    try:
        parts = frames[frames.index(_DELIMITER) + 2 :]
    except (AttributeError, TypeError, ValueError):
        return None
    return parts if len(parts) > _CONTENT else None


def is_about_execution(parts: Sequence[bytes]) -> bool:
    """Return whether a message may be about an execution: a substring test."""
    return _EXECUTION in parts[_PARENT]


def read_parts(parts: Sequence[bytes]) -> KernelMessage | None:
    """Return what a message says about a request, if it has a parent."""
    parent_id = read_object(parts[_PARENT]).get("msg_id")
    msg_type = read_object(parts[_HEADER]).get("msg_type")
    if not isinstance(parent_id, str) or not isinstance(msg_type, str):
        return None
    size_bytes = len(parts[_CONTENT])
    if len(parts) > _CONTENT + 1:
        size_bytes += sum(map(len, parts[_CONTENT + 1 :]))
    return new(KernelMessage, (msg_type, parent_id, parts[_CONTENT], size_bytes))


def read_parent(parts: Sequence[bytes]) -> dict[str, Any]:
    """Return the header of the request that a message is about."""
    return read_object(parts[_PARENT])


def read_relayed(message: str) -> KernelMessage | None:
    """Return what a gateway's message says about a request."""
    whole = read_object(message)
    parent, header = _objects(whole, "parent_header", "header")
    parent_id, msg_type = parent.get("msg_id"), header.get("msg_type")
    if not isinstance(parent_id, str) or not isinstance(msg_type, str):
        return None
    if msg_type == "execute_reply" and whole.get("channel") == "iopub":
        return None  # what code in the kernel said to all
    [content] = _objects(whole, "content")
    return KernelMessage(msg_type, parent_id, content, len(message))


def tells_of_death(message: str) -> bool:
    """Return whether a gateway says that a kernel has died.

    Its server says so itself, in answer to nobody. A kernel that says the same of
    itself gets its own executions ended, and nobody else's.
    """
    if len(message) > _MAX_DEATH or '"status"' not in message:
        return False
    whole = read_object(message)
    header, content = _objects(whole, "header", "content")
    is_ours = header.get("msg_type") == "status" and not whole.get("parent_header")
    return is_ours and content.get("execution_state") in _DEATHS


def read_event(parts: Sequence[bytes]) -> bytes | None:
    """Return the content of a message, if it is one with events."""
    header = parts[_HEADER]
    if _EVENT_MARK_BYTES not in header:
        return None
    is_event = read_object(header).get("msg_type") == KERNEL_EVENT
    return parts[_CONTENT] if is_event else None


def read_relayed_event(message: str) -> bytes | None:
    """Return the content of a gateway's message, if it is one with events."""
    if message.find(_EVENT_MARK, 0, _HEADER_REACH) < 0:
        return None
    whole = read_object(message)
    [header] = _objects(whole, "header")
    if header.get("msg_type") != KERNEL_EVENT:
        return None
    return json.dumps(whole.get("content")).encode()


def read_object(text: bytes | str) -> dict[str, Any]:
    """Return the JSON object that a kernel sent; empty where it is none."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _odd(text)
    return value if isinstance(value, dict) else {}


def _odd(text: bytes | str) -> Any:
    """Parse what orjson refuses: NaN, lone surrogates, and what is no JSON."""
    try:
        return json.loads(text)
    except (RecursionError, ValueError):
        return None


def _objects(whole: Mapping[str, Any], *names: str) -> list[Mapping[str, Any]]:
    found = (whole.get(name) for name in names)
    return [value if isinstance(value, dict) else {} for value in found]
