"""The telemetry of programs whose users write no Python: as Jupyter's files say.

One a process, opened at the first run and closed at exit. Files that say nothing of
ours cost their reading and nothing else.
"""

import logging
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from jupyter_otel.config_files import load_configuration
from jupyter_otel.errors import JupyterOtelError

if TYPE_CHECKING:  # what only a telemetry that runs needs
    from jupyter_otel.telemetry import Telemetry

_log = logging.getLogger("jupyter_otel")


def configured_hooks(notebook_path: str | None) -> dict[str, Callable[..., None]]:
    """Return the hooks of the process's telemetry; none where there is none.

    Their records are those of the operating-system account: whoever runs a program
    that somebody else configured is a person who may have said no.
    """
    telemetry = _of_process(os.getpid())
    if telemetry is None:
        return {}
    from jupyter_otel.event import ACCOUNT  # noqa: PLC0415 - if used
    from jupyter_otel.hosts.runs.capture import hooks_of  # noqa: PLC0415 - ditto

    return hooks_of(telemetry, ACCOUNT, notebook_path)


@lru_cache(maxsize=1)
def _of_process(_: int) -> "Telemetry | None":
    """Return it; None, said in one line: the configuration cannot be used.

    By process: in a forked child the parent's takes nothing in.
    """
    try:
        telemetry = _open()
    except JupyterOtelError as error:
        # No traceback: it says nothing to whoever wrote the setting.
        reason = "; ".join(str(error).splitlines())
        _log.error("jupyter_otel records no run until this is corrected: %s", reason)
        return None
    if telemetry is not None:
        for warning in telemetry.warnings:
            _log.warning("jupyter_otel: %s", warning)
        _close_in_a_worker(telemetry)
    return telemetry


def _open() -> "Telemetry | None":
    config = load_configuration(None)
    if not any(section.startswith("Otel") for section in config):
        return None
    from jupyter_otel.telemetry import Telemetry  # noqa: PLC0415 - if used

    return Telemetry(config)


def _close_in_a_worker(telemetry: "Telemetry") -> None:
    """Have it closed at the end of a process that leaves without `atexit`.

    Those that multiprocessing forks do, a pool's workers among them.
    """
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        from multiprocessing.util import Finalize  # noqa: PLC0415 - in workers only

        Finalize(None, telemetry.close, exitpriority=0)
