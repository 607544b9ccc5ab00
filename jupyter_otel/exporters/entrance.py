"""What the three exporters share: where one signal's requests get onto a road."""

import os
from collections.abc import Callable
from typing import Any, Protocol

from traitlets.config import Config

from jupyter_otel.complaints import Complaints
from jupyter_otel.errors import JupyterOtelError
from jupyter_otel.exporters.roads import CLOSE_TIMEOUT_S, ROADS
from jupyter_otel.exporters.splitting import split
from jupyter_otel.policy.priority import priority
from jupyter_otel.road import Road
from jupyter_otel.schema import Group
from jupyter_otel.spool.rows import NewRow
from jupyter_otel.tally import Books, Signal, Tally


class RoadOwner(Protocol):
    """The part of a `Telemetry` that is used here."""

    @property
    def road(self) -> Road | None:
        """Return its road; None where it collects nothing."""


class Entrance:
    """Puts one signal's requests on a road. Safe in any thread; never raises later.

    Args:
        signal: Of the requests.
        config: Of the road, where there is no owner.
        owner: Whose road to use; shutting down leaves it open.

    Raises:
        ConfigError: A setting or a destination cannot be used.
        SpoolError: The spool's directory cannot be written.
    """

    def __init__(
        self, signal: Signal, config: Config | None, owner: RoadOwner | None
    ) -> None:
        self._signal = signal
        self._config = Config() if config is None else config
        self._owner = owner
        self._is_open = True
        self._complaints = Complaints()
        self._process = os.getpid()
        self._own: Road | None = None
        if owner is None:
            self._own = ROADS.acquire(self._config, signal)
        elif owner.road is not None:
            owner.road.open(signal)

    def put(self, encode: Callable[[Any], Any], batch: Any) -> bool:
        """Encode a batch and store it; False: not, or something was lost for it."""
        try:
            road = self._road()
            if road is None:
                self._complain("closed", "batches are ignored: shut down or turned off")
                return False
            parts = split(self._signal, encode(batch))
            return road.put([self._row(records, body) for records, body in parts])
        # The edge to the SDK's threads and, with its simple processors, to the host;
        # the error's text may hold data.
        except Exception as error:  # noqa: BLE001
            name = type(error).__name__
            self._complain(name, f"a batch could not be taken in ({name})")
            return False

    def flush(self, timeout_s: float) -> bool:
        """Return whether all that was put, on the whole road, is sent or dropped."""
        road = self._road()
        return road is None or road.flush(timeout_s, self._signal)

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Put nothing more; what waits is sent in time or stays in the spool."""
        if not self._is_open:
            return
        road = self._road() if self._owner is None else None
        self._is_open, self._own = False, None
        if road is not None:
            ROADS.release(road, min(timeout_s, CLOSE_TIMEOUT_S))

    def tally(self) -> Tally:
        """Return the books of the road, empty where there is none."""
        road = self._road()
        return (Books() if road is None else road.books).tally()

    def _road(self) -> Road | None:
        if not self._is_open:
            return None
        if self._owner is not None:
            return self._owner.road
        if self._process != os.getpid():
            # A forked child: the road, its threads and its file are the parent's.
            # So may a lock be of a thread that is not here.
            self._process, self._own = os.getpid(), None
            self._complaints = Complaints()
            try:
                self._own = ROADS.acquire(self._config, self._signal)
            except JupyterOtelError as error:
                self._complain("child", str(error))
        return self._own

    def _row(self, records: int, body: bytes) -> NewRow:
        return NewRow(
            signal=self._signal,
            subject="",
            group=Group.EXTENSIONS,
            priority=priority(Group.EXTENSIONS),
            records=records,
            revision="",  # made under no policy
            body=body,
        )

    def _complain(self, reason: str, text: str) -> None:
        self._complaints.say(reason, f"{self._signal.value} exporter: {text}.")
