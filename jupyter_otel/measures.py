"""The numbers that operators watch: one list, for Prometheus and for OTLP metrics.

Named as OpenTelemetry names metrics, ``jupyter_otel.records.accepted``; Prometheus
writes ``jupyter_otel_records_accepted_total``. Values are those of ``status``.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from jupyter_otel.road import Road
from jupyter_otel.tally import SignalTally, Tally

PREFIX = "jupyter_otel."

# How the sender's last errors begin (``export/``), from which only a class is told:
# the rest may name hosts, and has any number of forms.
_ANSWER = re.compile(r"(?:HTTP|gRPC) \w+")
_NO_ANSWER = re.compile(r"no answer from \S+ \((.+?)\):")
_EXCEPTION = re.compile(r"[A-Z]\w*(?:Error|Exception|Timeout)\b")


class Sample(NamedTuple):
    """One value, and what it is of."""

    attributes: Mapping[str, str]
    value: float


class Measure(NamedTuple):
    """A number that is watched over time."""

    name: str
    help: str
    unit: str
    kind: Literal["counter", "gauge"]
    read: Callable[[Tally, Road], Iterator[Sample]]


def error_class(error: str) -> str:
    """Return which kind of error a sender reports: one of few, without any name."""
    if found := _ANSWER.match(error):
        return found[0]
    if found := _NO_ANSWER.match(error):
        return found[1]
    found = _EXCEPTION.match(error)
    return found[0] if found else "other"


def _signals(tally: Tally) -> Iterator[tuple[str, SignalTally]]:
    yield from (
        ("logs", tally.logs),
        ("traces", tally.traces),
        ("metrics", tally.metrics),
    )


def _records(field: str) -> Callable[[Tally, Road], Iterator[Sample]]:
    def read(tally: Tally, _: Road) -> Iterator[Sample]:
        for signal, of_signal in _signals(tally):
            yield Sample({"signal": signal}, getattr(of_signal, field))

    return read


def _by_reason(field: str) -> Callable[[Tally, Road], Iterator[Sample]]:
    def read(tally: Tally, _: Road) -> Iterator[Sample]:
        for signal, of_signal in _signals(tally):
            for reason, count in getattr(of_signal, field).items():
                yield Sample({"signal": signal, "reason": reason}, count)

    return read


def _spool_bytes(_: Tally, road: Road) -> Iterator[Sample]:
    yield Sample({}, road.spool.size_bytes())


def _oldest(_: Tally, road: Road) -> Iterator[Sample]:
    yield Sample({}, road.spool_status()["oldest_s"] or 0.0)


def _last_errors(_: Tally, road: Road) -> Iterator[Sample]:
    for signal, error in road.last_errors().items():
        if error is not None:
            yield Sample({"signal": signal, "error_type": error_class(error)}, 1)


MEASURES = (
    Measure(
        "records.accepted",
        "Records taken in; each ends sent, dropped or aggregated.",
        "{record}",
        "counter",
        _records("accepted"),
    ),
    Measure(
        "records.sent",
        "Records that the receiver has acknowledged.",
        "{record}",
        "counter",
        _records("sent"),
    ),
    Measure(
        "records.aggregated",
        "Records folded into another one by an overlay's rule.",
        "{record}",
        "counter",
        _records("aggregated"),
    ),
    Measure(
        "records.dropped",
        "Accepted records that will never be sent, by reason.",
        "{record}",
        "counter",
        _by_reason("dropped"),
    ),
    Measure(
        "events.refused",
        "Events that were never accepted, by reason.",
        "{event}",
        "counter",
        _by_reason("refused"),
    ),
    Measure(
        "records.pending",
        "Accepted records that have no end yet.",
        "{record}",
        "gauge",
        _records("pending"),
    ),
    Measure(
        "spool.size",
        "Size of what waits in the spool.",
        "By",
        "gauge",
        _spool_bytes,
    ),
    Measure(
        "spool.oldest",
        "Age of the oldest row that waits in the spool, 0 if none does.",
        "s",
        "gauge",
        _oldest,
    ),
    Measure(
        "last_error",
        "1 while the last attempt to send failed, by the kind of error.",
        "{error}",
        "gauge",
        _last_errors,
    ),
)
