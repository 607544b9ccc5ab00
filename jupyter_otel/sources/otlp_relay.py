"""What is done to OpenTelemetry data of user code before it is passed on.

It is no event of ours: nothing of it is validated or redacted. It says whose it is and
from which kernel, in attributes of its resource that only we set; whatever the client
set in their names is taken out, wherever it stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jupyter_otel.event import Source, Trust
from jupyter_otel.tally import Signal
from jupyter_otel.worker import Turns

_SUSPECT = re.compile(
    r"\s*(jupyter|user|event\.name$|otel\.event\.name$)", re.IGNORECASE
)
# Back ends that know no dots make `user_hash` of both, and then they would be one.
_RESERVED = re.compile(
    r"\s*(jupyter([^a-z0-9]|$)|user(\.|[^a-z0-9](hash|name)$))", re.IGNORECASE
)
_EVENTS_OF_OURS = re.compile(r"\s*jupyter(hub|_\w+)?(\.|$)", re.IGNORECASE)
_SCOPES_OF_OURS = re.compile(r"\s*jupyter_otel\.", re.IGNORECASE)
_TRACE_ID, _SPAN_ID = 16, 8
"""Bytes."""


def stamps(kernel_id: str, user: tuple[str, str] | None) -> dict[str, str]:
    """Return the attributes that say where data of a kernel comes from.

    Args:
        kernel_id: Of the kernel.
        user: Attribute and value that name its person; None: they are not named.
    """
    named = {} if user is None else {user[0]: user[1]}
    return {
        "jupyter.source": Source.KERNEL.value,
        "jupyter.trust": Trust.CLIENT.value,
        "jupyter.kernel.id": kernel_id,
        **named,
    }


def stamp(signal: Signal, request: Any, attributes: Mapping[str, str]) -> bool:
    """Take out what claims to be ours, and set ours; False: its ids are no ids.

    A receiver refuses a whole request for one such id, and with it what it was merged
    with.

    Args:
        signal: Of the request.
        request: An ``Export…ServiceRequest``; it is changed.
        attributes: To set on each resource.
    """
    turns = Turns()
    for resources in _resources(signal, request):
        clean(resources.resource.attributes)
        for name, value in attributes.items():
            resources.resource.attributes.add(key=name).value.string_value = value
        for scope in _scopes(signal, resources):
            clean(scope.scope.attributes)
            if _SCOPES_OF_OURS.match(scope.scope.name):
                scope.scope.name = ""
            for record in getattr(scope, _RECORDS[signal]):
                if not _CLEAN[signal](record):
                    return False
                turns.give()
    return True


def clean(attributes: Any) -> None:
    """Take names that only we set out of a list of attributes."""
    suspects = [
        number
        for number, attribute in enumerate(attributes)
        if _SUSPECT.match(attribute.key) and _is_reserved(attribute)
    ]
    for number in reversed(suspects):
        del attributes[number]


_RECORDS = {
    Signal.LOGS: "log_records",
    Signal.TRACES: "spans",
    Signal.METRICS: "metrics",
}


def _resources(signal: Signal, request: Any) -> Iterable[Any]:
    found: Iterable[Any] = getattr(request, f"resource_{_SCOPES[signal]}")
    return found


def _scopes(signal: Signal, resources: Any) -> Iterable[Any]:
    found: Iterable[Any] = getattr(resources, f"scope_{_SCOPES[signal]}")
    return found


_SCOPES = {Signal.LOGS: "logs", Signal.TRACES: "spans", Signal.METRICS: "metrics"}


def _is_reserved(attribute: Any) -> bool:
    name = attribute.key
    if _RESERVED.match(name):
        return True
    if name.lower().endswith("event.name"):
        return bool(_EVENTS_OF_OURS.match(attribute.value.string_value))
    # Some back ends write a map flat.
    is_whole = name.strip().lower() == "user"
    return is_whole and bool(attribute.value.HasField("kvlist_value"))


def _clean_log_record(record: Any) -> bool:
    clean(record.attributes)
    if _EVENTS_OF_OURS.match(record.event_name):
        record.event_name = ""
    return _are_ids(record, may_be_empty=True)


def _clean_span(span: Any) -> bool:
    clean(span.attributes)
    for part in (*span.events, *span.links):
        clean(part.attributes)
    return (
        _are_ids(span)
        and len(span.parent_span_id) in (0, _SPAN_ID)
        and all(map(_are_ids, span.links))
    )


def _clean_metric(metric: Any) -> bool:
    clean(metric.metadata)
    kind = metric.WhichOneof("data")
    points = getattr(metric, kind).data_points if kind else ()
    return all(map(_clean_point, points))


def _clean_point(point: Any) -> bool:
    clean(point.attributes)
    exemplars = list(_exemplars(point))
    for exemplar in exemplars:
        clean(exemplar.filtered_attributes)
    return all(_are_ids(exemplar, may_be_empty=True) for exemplar in exemplars)


def _exemplars(point: Any) -> Iterator[Any]:
    if "exemplars" in point.DESCRIPTOR.fields_by_name:  # a summary has none
        yield from point.exemplars


def _are_ids(record: Any, *, may_be_empty: bool = False) -> bool:
    if may_be_empty and not record.trace_id and not record.span_id:
        return True
    is_trace = len(record.trace_id) == _TRACE_ID
    return is_trace and len(record.span_id) in (
        _SPAN_ID,
        0 if may_be_empty else _SPAN_ID,
    )


_CLEAN = {
    Signal.LOGS: _clean_log_record,
    Signal.TRACES: _clean_span,
    Signal.METRICS: _clean_metric,
}
