"""Read what the embedded default has written: log records and spans, oldest first.

Files are OTLP/JSON, one request a line; rotated ones stand beside the live one. A
line that is no JSON (one still being written) is passed over. Nothing is written.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_otel.export.json_lines import list_files
from jupyter_otel.tally import Signal

_ERROR = 2
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


class LogRecord(NamedTuple):
    """A log record as written, plain values."""

    time_ns: int
    event_name: str
    severity: str
    body: str
    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]

    @property
    def schema_id(self) -> str:
        """Return the id of the schema that the event follows."""
        return str(self.attributes.get("jupyter.schema.id", ""))

    def to_json(self) -> dict[str, object]:
        """Return the object that ``events --json`` prints."""
        return {**self._asdict(), "time_ns": str(self.time_ns)}


class Span(NamedTuple):
    """A span as written, plain values."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    failed: bool
    attributes: dict[str, Any]
    resource: dict[str, Any]

    @property
    def schema_id(self) -> str:
        """Return the id of the schema that the event follows."""
        return str(self.attributes.get("jupyter.schema.id", ""))

    def to_json(self) -> dict[str, object]:
        """Return the object that ``traces --json`` prints for a span."""
        return {
            **self._asdict(),
            "start_ns": str(self.start_ns),
            "end_ns": str(self.end_ns),
        }


def log_records(lines: Iterable[str], schema: str = "*") -> Iterator[LogRecord]:
    """Yield the log records of a schema (a glob) in lines of ``logs.jsonl``."""
    for resource, record in _each(lines, ("resourceLogs", "scopeLogs", "logRecords")):
        found = _log_record(resource, record)
        if fnmatchcase(found.schema_id, schema):
            yield found


def spans(lines: Iterable[str], schema: str = "*") -> Iterator[Span]:
    """Yield the spans of a schema (a glob) in lines of ``traces.jsonl``."""
    for resource, span in _each(lines, ("resourceSpans", "scopeSpans", "spans")):
        found = _span(resource, span)
        if fnmatchcase(found.schema_id, schema):
            yield found


class Journal:
    """One signal's files in a folder, read on from where the last reading ended."""

    def __init__(self, directory: Path, signal: Signal) -> None:
        self._directory = directory
        self._signal = signal
        self._read: dict[int, int] = {}  # inode → bytes read; a rename keeps the inode

    def lines(self) -> Iterator[str]:
        """Yield whole lines not yielded before, the oldest file's first."""
        for path in list_files(self._directory, self._signal):
            yield from self._new_lines(path)

    def _new_lines(self, path: Path) -> Iterator[str]:
        with path.open("rb") as file:
            inode = path.stat().st_ino
            file.seek(self._read.get(inode, 0))
            for line in file:
                if not line.endswith(b"\n"):
                    return  # still being written
                self._read[inode] = self._read.get(inode, 0) + len(line)
                yield line.decode("utf-8", "replace")


def _each(
    lines: Iterable[str], keys: tuple[str, str, str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every innermost message with its resource's attributes."""
    for line in lines:
        try:
            request = json.loads(line)
        except ValueError:
            continue
        if not isinstance(request, dict):
            continue
        for outer in request.get(keys[0], ()):
            resource = _attributes(outer.get("resource", {}))
            for scope in outer.get(keys[1], ()):
                yield from ((resource, message) for message in scope.get(keys[2], ()))


def _log_record(resource: dict[str, Any], record: dict[str, Any]) -> LogRecord:
    attributes = _attributes(record)
    time_ns = record.get("timeUnixNano") or record.get("observedTimeUnixNano") or 0
    name = record.get("eventName") or attributes.get("otel.event.name", "")
    return LogRecord(
        time_ns=int(time_ns),
        event_name=str(name),
        severity=record.get("severityText", ""),
        body=str(_value(record.get("body", {})) or ""),
        trace_id=record.get("traceId", ""),
        span_id=record.get("spanId", ""),
        attributes=attributes,
        resource=resource,
    )


def _span(resource: dict[str, Any], span: dict[str, Any]) -> Span:
    return Span(
        trace_id=span.get("traceId", ""),
        span_id=span.get("spanId", ""),
        parent_span_id=span.get("parentSpanId", ""),
        name=span.get("name", ""),
        kind=_KINDS[span.get("kind", 0)],
        start_ns=int(span.get("startTimeUnixNano", 0)),
        end_ns=int(span.get("endTimeUnixNano", 0)),
        failed=span.get("status", {}).get("code") == _ERROR,
        attributes=_attributes(span),
        resource=resource,
    )


def _attributes(message: dict[str, Any]) -> dict[str, Any]:
    pairs = message.get("attributes", ())
    return {pair["key"]: _value(pair.get("value", {})) for pair in pairs}


def _value(any_value: dict[str, Any]) -> Any:
    """Return the plain value of an OTLP/JSON ``AnyValue``."""
    for key, value in any_value.items():
        return _PLAIN.get(key, _same)(value)
    return None


def _same(value: Any) -> Any:
    return value


def _array(value: dict[str, Any]) -> list[Any]:
    return [_value(item) for item in value.get("values", ())]


def _map(value: dict[str, Any]) -> dict[str, Any]:
    pairs = value.get("values", ())
    return {pair["key"]: _value(pair.get("value", {})) for pair in pairs}


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "intValue": int,
    "arrayValue": _array,
    "kvlistValue": _map,
}
