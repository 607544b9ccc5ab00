"""``jupyter otel events``: list what the embedded default has written, as a table."""

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Iterable

from traitlets.config import Config

from jupyter_otel.cli.journal import Journal, LogRecord, log_records
from jupyter_otel.cli.places import add_place_arguments, directory_to_read
from jupyter_otel.cli.tables import local_time, table
from jupyter_otel.tally import Signal

_HEAD = ("TIME", "EVENT", "TRACE", "WHAT")
_POLL_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    add_place_arguments(parser, "events", last=20)


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Print the last events, and with ``--follow`` those that come."""
    directory = directory_to_read(arguments.directory, config, Signal.LOGS)
    journal = Journal(directory, Signal.LOGS)
    found = log_records(journal.lines(), arguments.schema)
    last = deque(found, maxlen=arguments.last)
    if not last and not arguments.follow:
        sys.stderr.write(f"No event in {directory}.\n")
    _show(last, as_json=arguments.json)
    while arguments.follow:
        time.sleep(_POLL_S)
        new = log_records(journal.lines(), arguments.schema)
        _show(list(new), as_json=arguments.json, head=False)
    return 0


def event_table(records: Iterable[LogRecord], *, head: bool = True) -> str:
    """Return a line an event: when, what, in which trace."""
    rows = [
        (
            local_time(record.time_ns),
            record.event_name,
            record.trace_id[:8] or "-",
            record.body.removeprefix(record.event_name).strip() or "-",
        )
        for record in sorted(records, key=lambda record: record.time_ns)
    ]
    text = table(_HEAD, rows)
    return text if head else text.partition("\n")[2]


def _show(records: Iterable[LogRecord], *, as_json: bool, head: bool = True) -> None:
    if as_json:
        lines = (json.dumps(record.to_json()) for record in records)
        sys.stdout.writelines(f"{line}\n" for line in lines)
    elif records:
        sys.stdout.write(event_table(records, head=head))
    sys.stdout.flush()
