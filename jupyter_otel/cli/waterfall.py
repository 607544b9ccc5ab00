"""Draw traces in a terminal: a line a span, children below parents, bars to scale.

::

    trace 0af7651916cd43dd8448eb211c80319c   2026-11-24 09:41:07.120   1.42 s   4 spans
      execute   ━━━━━━━━━━━━━━                          412 ms
        GET             ━━━━━━                          180 ms
      execute                                     ━━     31 ms   ERROR ValueError
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jupyter_otel.cli.journal import Span
from jupyter_otel.cli.tables import duration, local_time, printable, width

_LEAST_BAR, _MOST_BAR = 16, 60
_MOST_NAME = 40
_AROUND_BAR = 34


class Trace(NamedTuple):
    """The spans of one trace that were found, by start."""

    trace_id: str
    spans: tuple[Span, ...]

    @property
    def start_ns(self) -> int:
        """Return when the first of them began."""
        return min(span.start_ns for span in self.spans)

    @property
    def duration_ns(self) -> int:
        """Return the time from the first beginning to the last end."""
        return max(span.end_ns for span in self.spans) - self.start_ns

    def to_json(self) -> dict[str, object]:
        """Return the object that ``traces --json`` prints."""
        return {
            "trace_id": self.trace_id,
            "start_ns": str(self.start_ns),
            "duration_ms": self.duration_ns / 1e6,
            "spans": [span.to_json() for span in self.spans],
        }


def traces(spans: Iterable[Span]) -> list[Trace]:
    """Return spans grouped by trace, the trace that began first at the front."""
    groups: dict[str, list[Span]] = {}
    for span in spans:
        groups.setdefault(span.trace_id, []).append(span)
    made = (
        Trace(trace_id, tuple(sorted(group, key=lambda span: span.start_ns)))
        for trace_id, group in groups.items()
    )
    return sorted(made, key=lambda trace: trace.start_ns)


def waterfall(trace: Trace) -> str:
    """Return the drawing of one trace."""
    rows = list(_rows(trace))
    names = [("  " * depth + printable(span.name))[:_MOST_NAME] for depth, span in rows]
    name_width = max(map(len, names))
    bar_width = min(max(width() - name_width - _AROUND_BAR, _LEAST_BAR), _MOST_BAR)
    lines = [_head(trace)]
    for name, (_, span) in zip(names, rows, strict=True):
        bar = _bar(span, trace, bar_width)
        took = duration(span.end_ns - span.start_ns)
        line = f"  {name:<{name_width}}  {bar}  {took:>8}  {_outcome(span)}"
        lines.append(f"{line.rstrip()}\n")
    return "".join(lines)


def _head(trace: Trace) -> str:
    count = len(trace.spans)
    return (
        f"trace {trace.trace_id}   {local_time(trace.start_ns)}   "
        f"{duration(trace.duration_ns)}   {count} span{'s' if count > 1 else ''}"
        f"{_remote_parent(trace)}\n"
    )


def _remote_parent(trace: Trace) -> str:
    """Say which span all the roots hang below, where it is one of another program."""
    known = {span.span_id for span in trace.spans}
    parents = {span.parent_span_id for span in trace.spans} - known
    return f"   below the client's span {parents.pop()}" if _is_one(parents) else ""


def _is_one(parents: set[str]) -> bool:
    return len(parents) == 1 and "" not in parents


def _rows(trace: Trace) -> Iterator[tuple[int, Span]]:
    """Yield each span once, with its depth; one whose parent is not here is a root."""
    known = {span.span_id for span in trace.spans}
    children: dict[str, list[Span]] = {}
    for span in trace.spans:
        parent = span.parent_span_id if span.parent_span_id in known else ""
        children.setdefault(parent, []).append(span)
    waiting = [(0, span) for span in reversed(children.pop("", ()))]
    while waiting:
        depth, span = waiting.pop()
        yield depth, span
        below = children.pop(span.span_id, ())
        waiting += [(depth + 1, child) for child in reversed(below)]
    # What is left hangs below itself: not a tree, but nothing to keep back either.
    yield from ((0, span) for group in children.values() for span in group)


def _bar(span: Span, trace: Trace, bar_width: int) -> str:
    scale = bar_width / max(trace.duration_ns, 1)
    start = min(int((span.start_ns - trace.start_ns) * scale), bar_width - 1)
    length = max(round((span.end_ns - span.start_ns) * scale), 1)
    return (" " * start + "━" * min(length, bar_width - start)).ljust(bar_width)


def _outcome(span: Span) -> str:
    if not span.failed:
        return ""
    return printable(f"ERROR {span.attributes.get('error.type', '')}".strip())
