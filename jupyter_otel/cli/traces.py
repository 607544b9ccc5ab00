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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    add_place_arguments(parser, "traces", last=5)


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Draw the last traces; with ``--follow`` again each that gets a span."""
    directory = directory_to_read(arguments.directory, config)
    journal = Journal(directory, Signal.TRACES)
    known: list[Span] = list(spans(journal.lines(), arguments.schema))
    if not known and not arguments.follow:
        sys.stderr.write(f"No span in {directory}.\n")
    _show(traces(known)[-arguments.last :], as_json=arguments.json)
    while arguments.follow:
        time.sleep(_POLL_S)
        new = list(spans(journal.lines(), arguments.schema))
        known += new
        changed = {span.trace_id for span in new}
        _show(
            (trace for trace in traces(known) if trace.trace_id in changed),
            as_json=arguments.json,
        )
    return 0


def _show(found: Iterable[Trace], *, as_json: bool) -> None:
    for trace in found:
        text = json.dumps(trace.to_json()) if as_json else waterfall(trace)
        sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
