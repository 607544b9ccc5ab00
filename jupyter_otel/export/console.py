"""The console exporter: one readable line a record on standard output."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from jupyter_otel.export.otlp_json import to_dict
from jupyter_otel.export.verdicts import Rejected, Retry, Sent, Verdict
from jupyter_otel.tally import Signal

_STATUS = {0: "UNSET", 1: "OK", 2: "ERROR"}


class Console:
    """Prints one signal's records.

    Args:
        signal: What the requests hold.
        stream: Where lines go; None: whatever standard output is at the time.
    """

    name = "console"
    max_request_bytes = 16 * 2**20

    def __init__(self, signal: Signal, stream: TextIO | None = None) -> None:
        self._signal = signal
        self._stream = stream

    def send(self, request: bytes, records: int) -> Verdict:
        """Print a request's records."""
        del records
        try:
            lines = list(_lines(self._signal, to_dict(self._signal, request)))
        except ValueError as error:
            return Rejected(str(error))
        stream = self._stream or sys.stdout
        try:
            stream.write("".join(line + "\n" for line in lines))
            stream.flush()
        except (OSError, ValueError, AttributeError) as error:  # closed, or None
            return Retry(None, f"{type(error).__name__} writing to standard output")
        return Sent()

    def close(self) -> None:
        """Do nothing: standard output is not ours."""


def _lines(signal: Signal, request: dict[str, Any]) -> Iterator[str]:
    plural, scope, items, line = {
        Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords", _log_line),
        Signal.TRACES: ("resourceSpans", "scopeSpans", "spans", _span_line),
        Signal.METRICS: ("resourceMetrics", "scopeMetrics", "metrics", _metric_line),
    }[signal]
    for resource in request.get(plural, ()):
        for scoped in resource.get(scope, ()):
            yield from map(line, scoped.get(items, ()))


def _log_line(record: dict[str, Any]) -> str:
    body = _plain(record.get("body", {}))
    return " ".join(
        (
            _time(record.get("timeUnixNano") or record.get("observedTimeUnixNano")),
            record.get("severityText") or "LOG",
            record.get("eventName") or "-",
            # A line break or an escape sequence in it must not reach a terminal.
            body if isinstance(body, str) and body.isprintable() else _json(body),
            _attributes(record),
        )
    )


def _span_line(span: dict[str, Any]) -> str:
    start, end = (int(span.get(f"{e}TimeUnixNano", 0)) for e in ("start", "end"))
    status = _STATUS.get(span.get("status", {}).get("code", 0), "UNKNOWN")
    ids = f"{span.get('traceId', '')}/{span.get('spanId', '')}"
    took = f"{(end - start) / 1e6:.1f}ms"
    name = span.get("name", "")
    return f"{_time(start)} SPAN {name} {took} {status} {ids} {_attributes(span)}"


def _metric_line(metric: dict[str, Any]) -> str:
    kind = next((key for key, value in metric.items() if isinstance(value, dict)), "")
    points = metric.get(kind, {}).get("dataPoints", [])
    return f"METRIC {metric.get('name', '')} {kind} {_json(points)}"


def _attributes(item: dict[str, Any]) -> str:
    pairs = {
        kv["key"]: _plain(kv.get("value", {})) for kv in item.get("attributes", ())
    }
    return _json(pairs)


def _plain(value: dict[str, Any]) -> Any:
    """Return an OTLP/JSON value as the JSON value that it stands for."""
    for kind, found in value.items():
        if kind == "arrayValue":
            return [_plain(item) for item in found.get("values", ())]
        if kind == "kvlistValue":
            pairs = found.get("values", ())
            return {kv["key"]: _plain(kv.get("value", {})) for kv in pairs}
        return int(found) if kind == "intValue" else found
    return None


def _time(time_ns: int | str | None) -> str:
    moment = datetime.fromtimestamp(int(time_ns or 0) / 1e9, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
