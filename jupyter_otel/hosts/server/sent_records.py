"""What left of one person lately, record by record, in OTLP/JSON.

Each is read from the very bytes that a receiver took.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from jupyter_otel.choices import as_time
from jupyter_otel.export.otlp_json import to_dict
from jupyter_otel.spool.recent import SentRow
from jupyter_otel.tally import Signal

_WAY_DOWN = {
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
    Signal.METRICS: ("resourceMetrics", "scopeMetrics", "metrics"),
}


def newest(rows: Iterable[SentRow], limit: int) -> list[dict[str, Any]]:
    """Return the first records of rows that come the newest first."""
    return list(islice((record for row in rows for record in _records(row)), limit))


def _records(row: SentRow) -> Iterator[dict[str, Any]]:
    """Yield a row's records, the last first."""
    by_resource, by_scope, items = _WAY_DOWN[row.signal]
    request = to_dict(row.signal, row.body)
    for resource in reversed(request.get(by_resource, [])):
        for scope in reversed(resource.get(by_scope, [])):
            for record in reversed(scope.get(items, [])):
                yield {
                    "signal": row.signal.value,
                    "group": row.group,
                    "sent_at": as_time(row.sent_ns),
                    "resource": resource.get("resource", {}),
                    "scope": scope.get("scope", {}),
                    "record": record,
                }
