"""Sends what dead processes left, without a server: adopt, send, until all is gone."""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jupyter_otel.config import Settings
from jupyter_otel.environment import sdk_disabled
from jupyter_otel.errors import ConfigError
from jupyter_otel.road import Road
from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.owners import Watch
from jupyter_otel.spool.places import is_shared
from jupyter_otel.tally import Books, Signal

_ROUND_S = 5.0
"""How long a round without any success lasts: the receiver does not answer."""


class Replayed(NamedTuple):
    """What became of the records that were found, by signal or by reason."""

    directory: Path
    adopted: Mapping[str, int]
    sent: Mapping[str, int]
    dropped: Mapping[str, int]
    pending: int
    last_error: Mapping[str, str]

    def to_json(self) -> dict[str, object]:
        """Return the object that ``--json`` prints."""
        return {
            "adopted": dict(self.adopted),
            "sent": dict(self.sent),
            "dropped": dict(self.dropped),
            "pending": self.pending,
            "last_error": dict(self.last_error),
        }


def replay(settings: Settings, *, timeout_s: float, other_machines: bool) -> Replayed:
    """Take over what dead processes left and send it as the settings say.

    Raises:
        ConfigError: Nothing may leave, or a destination cannot be used.
        SpoolError: The spool's directory cannot be written.
    """
    if settings.policy.level == "none" or sdk_disabled():
        raise ConfigError(
            "OtelPolicy.level must be one at which records leave, got 'none' or "
            "OTEL_SDK_DISABLED. Set a level, or use `jupyter otel spool discard`."
        )
    # What the senders log is said in the end.
    logging.getLogger("jupyter_otel").addHandler(logging.NullHandler())
    # In memory what is taken over would be lost with this process.
    settings.spool.durability = "batched"
    settings.spool.max_mib = max(settings.spool.max_mib, 1)
    directory = Path(settings.spool.directory)
    watch = Watch(is_shared=is_shared(directory), trusts_locks=other_machines)
    road = Road(settings, Books(), [], [])
    adopted: Counter[str] = Counter()
    try:
        _send_all(road, directory, watch, adopted, time.monotonic() + timeout_s)
        return _report(road, directory, adopted)
    finally:
        road.stop(1.0)


def _send_all(
    road: Road, directory: Path, watch: Watch, adopted: Counter[str], until_s: float
) -> None:
    """Adopt and send in turns: a spool may hold less than others have left."""
    road.start(adopts=False)
    while True:
        found = adopt_orphans(road.spool, directory, road.books.accept, watch)
        for signal, records in found.items():
            adopted[signal.value] += records
            road.open(signal)
            road.wake(signal)
        before = _sent(road.books)
        is_empty = road.flush(min(_ROUND_S, max(until_s - time.monotonic(), 0.0)))
        if is_empty and not found:
            return
        if not is_empty and (_sent(road.books) == before or time.monotonic() > until_s):
            return


def _report(road: Road, directory: Path, adopted: Mapping[str, int]) -> Replayed:
    tally = road.books.tally()
    books = {signal.value: getattr(tally, signal.value) for signal in Signal}
    dropped: Counter[str] = Counter()
    for page in books.values():
        dropped.update(page.dropped)
    return Replayed(
        directory,
        adopted,
        {signal: page.sent for signal, page in books.items() if page.sent},
        dropped,
        sum(page.pending for page in books.values()),
        {
            signal: said.partition(";")[0]  # what waits is said beside it
            for signal, said in road.last_errors().items()
            if said
        },
    )


def _sent(books: Books) -> int:
    tally = books.tally()
    return sum(getattr(tally, signal.value).sent for signal in Signal)
