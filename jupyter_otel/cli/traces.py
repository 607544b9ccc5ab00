"""``jupyter otel traces``: draw what the embedded default has written."""

import argparse
import json
import sys
import time
from collections.abc import Iterable

from traitlets.config import Config

from jupyter_otel.cli.journal import Journal, Span, spans
from jupyter_otel.cli.places import add_place_arguments, directory_to_read
from jupyter_otel.cli.waterfall import Trace, traces, waterfall
from jupyter_otel.tally import Signal

_POLL_S = 0.5
_KEPT = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    add_place_arguments(parser, "traces", last=5)


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Draw the last traces; with ``--follow`` again each that gets a span."""
    directory = directory_to_read(arguments.directory, config, Signal.TRACES)
    journal = Journal(directory, Signal.TRACES)
    recent = _Recent(max(arguments.last, _KEPT))
    recent.add(spans(journal.lines(), arguments.schema))
    found = recent.traces()
    if not found and not arguments.follow:
        sys.stderr.write(f"No span in {directory}.\n")
    _show(found[-arguments.last :], as_json=arguments.json)
    while arguments.follow:
        time.sleep(_POLL_S)
        changed = recent.add(spans(journal.lines(), arguments.schema))
        found = [trace for trace in recent.traces() if trace.trace_id in changed]
        _show(found, as_json=arguments.json)
    return 0


class _Recent:
    """The traces that got a span last; of older ones nothing is kept in memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._groups: dict[str, list[Span]] = {}

    def add(self, found: Iterable[Span]) -> set[str]:
        """Take spans in; return the ids of their traces."""
        changed = set()
        for span in found:
            group = self._groups.pop(span.trace_id, [])
            group.append(span)
            self._groups[span.trace_id] = group
            changed.add(span.trace_id)
            if len(self._groups) > self._most:
                del self._groups[next(iter(self._groups))]
        return changed

    def traces(self) -> list[Trace]:
        """Return them, the one that began first at the front."""
        return traces(span for group in self._groups.values() for span in group)


def _show(found: Iterable[Trace], *, as_json: bool) -> None:
    for trace in found:
        text = json.dumps(trace.to_json()) if as_json else waterfall(trace)
        sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
