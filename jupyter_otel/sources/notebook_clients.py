"""What is read off the client that runs a notebook: nbclient's, or a kind of it.

papermill and nbconvert run notebooks by subclasses of nbclient's `NotebookClient`. Its
hooks are told of notebooks and cells, never of the client. Nothing here keeps state or
changes anything; nbclient is imported at first use, when it has long been there.
"""

import inspect
import posixpath
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from jupyter_otel.sources.executions import kernel_name

_MAX_FRAMES = 24
_PARAMETERS_TAG = "injected-parameters"
_FINE = ("", "0")
"""What `SystemExit` says where all is well."""


class RunStatus(StrEnum):
    """How a run of a notebook ended."""

    OK = "ok"
    ERROR = "error"
    KERNEL_DIED = "kernel_died"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"
    DISCONNECTED = "disconnected"


def calling_client() -> Any:
    """Return the client that is calling a hook.

    nbclient gives hooks no way to it, and trace context can only be put into its
    session. So it is looked for where Python keeps it: among the callers. A user's own
    wrappers of a hook may stand between.

    Raises:
        LookupError: No client called.
    """
    from nbclient import NotebookClient  # noqa: PLC0415 - it has called, so it is there

    frame = inspect.currentframe()
    for _ in range(_MAX_FRAMES):
        if frame is None:
            break
        caller = frame.f_locals.get("self")
        if isinstance(caller, NotebookClient):
            return caller
        frame = frame.f_back
    raise LookupError


def engine_of(client: Any) -> str:
    """Return which program runs the notebook, as its client's class tells."""
    packages = {kind.__module__.partition(".")[0] for kind in type(client).__mro__}
    known = ("papermill", "nbconvert")
    return next((name for name in known if name in packages), "nbclient")


def kernel_of(client: Any) -> dict[str, Any]:
    """Return id and name of its kernel, as properties of an event."""
    manager = client.km
    kernel_id = getattr(manager, "kernel_id", None)
    name = client.kernel_name or getattr(manager, "kernel_name", None)
    found = {"kernel_id": kernel_id or None, "kernel_name": kernel_name(name)}
    return {key: value for key, value in found.items() if value is not None}


def path_of(client: Any, notebook: Any) -> str | None:
    """Return the notebook's path as its engine knows it; nbclient knows none."""
    engine = engine_of(client)
    if engine == "papermill":
        about = notebook.metadata.get("papermill", {})
        return plain_path(about.get("input_path"))
    if engine == "nbconvert":
        about = client.resources.get("metadata", {})
        name, folder = about.get("name"), about.get("path") or ""
        return plain_path(posixpath.join(folder, f"{name}.ipynb")) if name else None
    return None


def plain_path(stated: object) -> str | None:
    """Return a path; of an address no credentials, query or fragment."""
    if not isinstance(stated, str) or stated in {"", "-"}:
        return None
    if "://" not in stated:
        return stated
    parts = urlsplit(stated)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def holds_code(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell can be run at all."""
    return cell["cell_type"] == "code" and bool(cell["source"].strip())


def is_parameters(cell: Mapping[str, Any]) -> bool:
    """Return whether papermill wrote a cell: its code is the run's parameters."""
    return _PARAMETERS_TAG in _tags(cell)


def fails_run(client: Any, cell: Mapping[str, Any], reply: Mapping[str, Any]) -> bool:
    """Return whether a cell's reply makes the run one that failed.

    nbclient raises, unless the error is allowed. papermill looks at the outputs at the
    end: allowed errors are failures there, and an exit without a complaint is none.
    """
    if reply.get("status") != "error":
        return False
    if engine_of(client) == "papermill":
        return reply.get("ename") != "SystemExit" or reply.get("evalue") not in _FINE
    if getattr(client, "force_raise_errors", False):
        return True
    return not (
        client.allow_errors
        or reply.get("ename") in getattr(client, "allow_error_names", ())
        or "raises-exception" in _tags(cell)
    )


def status_of(error: BaseException) -> RunStatus:
    """Return how a run ended that an exception ended."""
    from nbclient import exceptions  # noqa: PLC0415 - as above

    if isinstance(error, exceptions.DeadKernelError):
        return RunStatus.KERNEL_DIED
    if isinstance(error, exceptions.CellTimeoutError):
        return RunStatus.TIMEOUT
    # Somebody interrupts, exits or cancels.
    return RunStatus.ERROR if isinstance(error, Exception) else RunStatus.INTERRUPTED


def _tags(cell: Mapping[str, Any]) -> Any:
    return cell["metadata"].get("tags", ())
