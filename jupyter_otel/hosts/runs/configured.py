"""The telemetry of programs whose users write no Python: as Jupyter's files say.

One a process, opened at the first run and closed at exit.
"""

import logging
import os
import sys
from functools import lru_cache

from jupyter_otel.config_files import load_configuration
from jupyter_otel.errors import JupyterOtelError
from jupyter_otel.telemetry import Telemetry

_log = logging.getLogger("jupyter_otel")


def configured_telemetry() -> Telemetry | None:
    """Return it; None, said in one line: the configuration cannot be used."""
    return _of_process(os.getpid())


@lru_cache(maxsize=1)
def _of_process(_: int) -> Telemetry | None:
    # By process: in a forked child the parent's takes nothing in.
    try:
        telemetry = Telemetry(load_configuration(None))
    except JupyterOtelError as error:
        # No traceback: it says nothing to whoever wrote the setting.
        reason = "; ".join(str(error).splitlines())
        _log.error("jupyter_otel records no run until this is corrected: %s", reason)
        return None
    for warning in telemetry.warnings:
        _log.warning("jupyter_otel: %s", warning)
    _close_in_a_worker(telemetry)
    return telemetry


def _close_in_a_worker(telemetry: Telemetry) -> None:
    """Have it closed at the end of a process that leaves without `atexit`.

    Those that multiprocessing forks do, a pool's workers among them.
    """
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        from multiprocessing.util import Finalize  # noqa: PLC0415 - in workers only

        Finalize(None, telemetry.close, exitpriority=0)
