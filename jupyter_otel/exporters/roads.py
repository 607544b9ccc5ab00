"""One road for all exporters of a process that were given the same configuration.

So that logs, spans and metrics share a spool file, and the last one that is shut down
ends it. A forked child opens roads of its own.
"""

import atexit
import json
import os
import threading
from typing import NamedTuple

from traitlets.config import Config

from jupyter_otel.complaints import Complaints
from jupyter_otel.config import read_settings
from jupyter_otel.environment import sdk_disabled
from jupyter_otel.permits import open_bystanders_permits
from jupyter_otel.road import Road
from jupyter_otel.tally import Books, Signal

CLOSE_TIMEOUT_S = 1.5
_EXIT_S = 0.3


class _Key(NamedTuple):
    process: int
    config: str


class _Shared:
    """A road, and how many use it."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.users = 0


class Roads:
    """The open roads of a process, by their configuration."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: dict[_Key, _Shared] = {}
        self._complaints = Complaints()

    def acquire(self, config: Config, signal: Signal) -> Road | None:
        """Return the road of a configuration, opened for a signal; None: disabled.

        Raises:
            ConfigError: A setting or a destination cannot be used.
            SpoolError: The spool's directory cannot be written.
        """
        if sdk_disabled():
            return None
        key = _Key(os.getpid(), json.dumps(config, sort_keys=True, default=str))
        with self._lock:
            shared = self._shared.get(key) or self._open(config, signal)
            shared.road.open(signal)
            self._shared[key] = shared
            shared.users += 1
            return shared.road

    def release(self, road: Road, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Give a road back; the last one who does stops it within the time."""
        with self._lock:
            found = [key for key, each in self._shared.items() if each.road is road]
            for key in found:
                self._shared[key].users -= 1
            ended = [key for key in found if not self._shared[key].users]
            for key in ended:
                del self._shared[key]
        if ended:
            road.stop(timeout_s)

    def hurry(self) -> None:
        """Give what waits a moment to be sent: this process ends.

        No road is stopped. A provider of the SDK that was made before this module was
        loaded is shut down after this, and exports its last batch then.
        """
        with self._lock:
            own = [key for key in self._shared if key.process == os.getpid()]
            roads = [self._shared[key].road for key in own]
        for road in roads:
            road.flush(_EXIT_S)

    def unlock(self) -> None:
        """In a forked child, where whoever had the lock is not: make it anew."""
        self._lock = threading.Lock()

    def _open(self, config: Config, signal: Signal) -> _Shared:
        warnings: list[str] = []
        settings = read_settings(config)
        # Rows of a dead server may be adopted: its policy is not this program's.
        judge = open_bystanders_permits(settings)
        road = Road(settings, Books(), [signal], warnings, judge)
        for warning in warnings:
            self._complaints.say(warning, warning)
        road.start()
        return _Shared(road)


ROADS = Roads()
atexit.register(ROADS.hurry)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ROADS.unlock)
