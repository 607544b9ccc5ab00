"""Whole OTLP requests, put together of messages that are bytes already.

Two serialized requests of one signal, one behind the other, are one valid request:
that is how the sender merges them.
"""

from collections.abc import Iterable, Mapping

from jupyter_otel.mapping.wire import bytes_field

_RESOURCE, _SCOPES = 1, 2
_SCOPE, _RECORDS = 1, 2
_GROUPS = 1


class RequestWriter:
    """Wraps records of one scope into an export request of their signal.

    Args:
        resource: Serialized ``Resource``.
        scopes: Serialized ``InstrumentationScope`` by the name of its source.
    """

    def __init__(self, resource: bytes, scopes: Mapping[str, bytes]) -> None:
        self._resource = bytes_field(_RESOURCE, resource)
        self._scopes = {
            name: bytes_field(_SCOPE, scope) for name, scope in scopes.items()
        }

    def write(self, source: str, records: Iterable[bytes]) -> bytes:
        """Return a serialized ``ExportLogsServiceRequest`` or ``…Trace…``.

        Logs and traces have the same three layers under the same field numbers.
        """
        messages = b"".join(bytes_field(_RECORDS, record) for record in records)
        scoped = bytes_field(_SCOPES, self._scopes[source] + messages)
        return bytes_field(_GROUPS, self._resource + scoped)
