"""Whole OTLP requests, put together of messages that are bytes already.

Two serialized requests of one signal, one behind the other, are one valid request:
that is how the sender merges them.
"""

from collections.abc import Callable, Iterable, Mapping

from jupyter_otel.mapping.wire import bytes_field, bytes_tag, varint

_RESOURCE, _SCOPES = 1, 2
_SCOPE, _RECORDS = 1, 2
_GROUPS = 1
_MAX_HEADS = 4096


class RequestWriter:
    """Wraps records of one scope into an export request of their signal.

    Args:
        resource: Serialized ``Resource``.
        scopes: Serialized ``InstrumentationScope`` by the name of its source.
    """

    def __init__(self, resource: bytes, scopes: Mapping[str, bytes]) -> None:
        self._heads: dict[int, bytes] = {}
        self._describe(resource, scopes)

    def write(self, source: str, records: Iterable[bytes]) -> bytes:
        """Return a serialized ``ExportLogsServiceRequest`` or ``…Trace…``.

        Logs and traces have the same three layers under the same field numbers.
        """
        pieces: list[bytes] = []
        for record in records:
            size = len(record)
            pieces += (self._heads.get(size) or self._head(size), record)
        messages = b"".join(pieces)
        scoped = bytes_field(_SCOPES, self._scopes[source] + messages)
        return bytes_field(_GROUPS, self._resource + scoped)

    def _describe(self, resource: bytes, scopes: Mapping[str, bytes]) -> None:
        self._resource = bytes_field(_RESOURCE, resource)
        self._scopes = {
            name: bytes_field(_SCOPE, scope) for name, scope in scopes.items()
        }

    def _head(self, size: int) -> bytes:
        """Return what stands before a record of that size."""
        head = bytes_tag(_RECORDS) + varint(size)
        if len(self._heads) < _MAX_HEADS:
            self._heads[size] = head
        return head


class LateRequestWriter(RequestWriter):
    """One that asks what describes the process when it has its first record.

    Args:
        ask: Returns resource and scopes; called once, on the thread that writes.
    """

    def __init__(self, ask: Callable[[], tuple[bytes, Mapping[str, bytes]]]) -> None:
        super().__init__(b"", {})
        self._ask = ask

    def write(self, source: str, records: Iterable[bytes]) -> bytes:
        """Return a serialized ``ExportLogsServiceRequest`` or ``…Trace…``."""
        if not self._scopes:
            self._describe(*self._ask())
        return super().write(source, records)
