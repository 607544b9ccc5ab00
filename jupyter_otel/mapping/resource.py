"""The resource and the scopes of everything a process sends, encoded once.

Detection is the SDK's. What is known about single events is in no resource. SDK and
protocol cost 30 ms to import: that waits until something is to be encoded.
"""

# Not needed here, but by the SDK; it cannot be imported when the interpreter ends.
import concurrent.futures.thread  # noqa: F401
import os
import uuid
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from jupyter_otel._version import __version__
from jupyter_otel.event import Source

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

_NAME = "service.name"
_INSTANCE = "service.instance.id"
_NAMED_BY_NOBODY = "unknown_service"
"""How the SDK's default service name starts, as its specification demands."""

_COMMAND_LINE = frozenset({"process.command_line", "process.command_args"})
"""Never sent, whichever detectors are named: a Jupyter command line holds tokens."""


def resource_attributes(
    attributes: Mapping[str, object], *, service_name: str
) -> dict[str, object]:
    """Return what describes this process in everything that it sends.

    The SDK's detectors (named by ``OTEL_EXPERIMENTAL_RESOURCE_DETECTORS``) run for up
    to 5 s each. As in the SDK, ``attributes`` win over them and over
    ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES``; ``service_name`` is only for
    a process that nobody has named. A forked child needs a call of its own.
    """
    known = {**_detected(), **attributes}
    if str(known.get(_NAME) or _NAMED_BY_NOBODY).startswith(_NAMED_BY_NOBODY):
        known[_NAME] = service_name
    known.setdefault(_INSTANCE, _instance_id(os.getpid()))
    return known


def resource_bytes(attributes: Mapping[str, object], *, service_name: str) -> bytes:
    """Return `resource_attributes` as a serialized OTLP ``Resource``."""
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue  # noqa: PLC0415
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource  # noqa: PLC0415

    known = resource_attributes(attributes, service_name=service_name)
    pairs = [KeyValue(key=_text(k), value=_any_value(v)) for k, v in known.items()]
    encoded: bytes = Resource(attributes=pairs).SerializeToString()
    return encoded


def scope_bytes(source: Source) -> bytes:
    """Return the serialized ``InstrumentationScope`` of what a source gives."""
    from opentelemetry.proto.common.v1.common_pb2 import (  # noqa: PLC0415
        InstrumentationScope,
    )

    scope = InstrumentationScope(
        name=f"jupyter_otel.{source.value}", version=__version__
    )
    encoded: bytes = scope.SerializeToString()
    return encoded


def _detected() -> dict[str, object]:
    # Only a process that sends needs the SDK, and it costs 20 ms.
    from opentelemetry.sdk import resources  # noqa: PLC0415

    try:
        found = resources.Resource.create()
    except RuntimeError:
        # The first record comes while the interpreter ends, when no pool of threads
        # runs detectors any more: what the variables say must do.
        found = resources._DEFAULT_RESOURCE.merge(  # noqa: SLF001 - no public name
            resources.OTELResourceDetector().detect()
        )
    known = found.attributes.items()
    return {key: value for key, value in known if key not in _COMMAND_LINE}


@lru_cache(maxsize=1)
def _instance_id(process_id: int) -> str:  # noqa: ARG001 - a child is another instance
    return str(uuid.uuid4())


def _any_value(value: object) -> "AnyValue":
    from opentelemetry.proto.common.v1.common_pb2 import (  # noqa: PLC0415
        AnyValue,
        ArrayValue,
    )

    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return AnyValue(array_value=ArrayValue(values=map(_any_value, value)))
    return AnyValue(string_value=_text(value))


def _text(value: object) -> str:
    """Return text that protobuf takes: an environment may hold bytes of no encoding."""
    return str(value).encode(errors="replace").decode()
