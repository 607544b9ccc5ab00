"""Cuts an OTLP request into ones that fit a row, each with its own resource and scope.

What is counted is what OTLP's ``partial_success`` counts: log records, spans, data
points.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from jupyter_otel.tally import Signal

MAX_ROW_BYTES = 512 * 2**10
"""Of a row with more than one record: every receiver takes such a request."""

_LAYERS = {
    Signal.LOGS: ("resource_logs", "scope_logs", "log_records"),
    Signal.TRACES: ("resource_spans", "scope_spans", "spans"),
    Signal.METRICS: ("resource_metrics", "scope_metrics", "metrics"),
}


class Part(NamedTuple):
    """A serialized request, and how many records it holds."""

    records: int
    body: bytes


def split(
    signal: Signal, request: Any, max_bytes: int = MAX_ROW_BYTES
) -> Iterator[Part]:
    """Yield a request's parts in order, none larger than that with several records.

    Args:
        signal: Of the request.
        request: An ``Export…ServiceRequest``; it is not changed.
        max_bytes: How large a part may be; a single record may be larger.
    """
    records = sum(map(len, _lists(signal, request)))
    if records < 2 or request.ByteSize() <= max_bytes:  # noqa: PLR2004 - halves
        if records:
            yield Part(records, request.SerializeToString())
        return
    half = records // 2
    yield from split(signal, _cut(signal, request, 0, half), max_bytes)
    yield from split(signal, _cut(signal, request, half, records), max_bytes)


def _lists(signal: Signal, request: Any) -> Iterator[Any]:
    """Yield each list of records in a request."""
    outer, inner, items = _LAYERS[signal]
    for resource in getattr(request, outer):
        for scope in getattr(resource, inner):
            if signal is not Signal.METRICS:
                yield getattr(scope, items)
                continue
            yield from filter(None, map(_points, getattr(scope, items)))


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _cut(signal: Signal, request: Any, first: int, end: int) -> Any:
    """Return a copy with the records from ``first`` up to ``end`` alone."""
    copy = type(request)()
    copy.CopyFrom(request)
    begin = 0
    for records in _lists(signal, copy):
        size = len(records)
        del records[max(end - begin, 0) :]
        del records[: max(first - begin, 0)]
        begin += size
    _prune(signal, copy)
    return copy


def _prune(signal: Signal, request: Any) -> None:
    """Remove what holds no record any more."""
    outer, inner, items = _LAYERS[signal]
    for resource in getattr(request, outer):
        for scope in getattr(resource, inner):
            if signal is Signal.METRICS:
                _keep(scope.metrics, _points)
        _keep(getattr(resource, inner), lambda scope: getattr(scope, items))
    _keep(getattr(request, outer), lambda resource: getattr(resource, inner))


def _keep(messages: Any, content: Any) -> None:
    for index in reversed(range(len(messages))):
        if not content(messages[index]):
            del messages[index]
