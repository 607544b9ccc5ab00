"""What is read off the client that runs a notebook: nbclient's, or a kind of it.

papermill and nbconvert run notebooks by subclasses of nbclient's `NotebookClient`. Its
hooks are told of notebooks and cells, never of the client. Nothing here keeps state or
changes anything; nbclient is imported at first use, when it has long been there.
"""

import inspect
import posixpath
from collections.abc import Mapping
from enum import StrEnum
from re import compile as pattern
from re import split
from typing import Any

from jupyter_otel.sources.executions import kernel_name

_MAX_FRAMES = 24
_PARAMETERS_TAG = "injected-parameters"
_SCHEME = pattern(r"[A-Za-z][A-Za-z0-9+.\-]+")
_HOST_AND_PORT = pattern(r"(?:[^:]*|\[[0-9A-Fa-f:.]*\]):\d{1,5}")
_CREDENTIALS = pattern(
    r"(?i)(?:pwd|passw|passphrase|secret|token|(?:api|access|account)[ _-]?key)"
    r"\w{0,24}\s{0,8}="
    r"|=[^/=;\s]*[;\s][^/=]*="  # two of a driver's settings
)
_USER_AND_PASSWORD = pattern(r"(?::|//)[^@]*@")
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
    """Return a path; of an address no credentials, query or fragment.

    The rule is the one by which kernels tell datasets (``datasets/uris.py`` there, a
    distribution of its own): what can be read in two ways is not told.
    """
    if not isinstance(stated, str) or stated in {"", "-"} or "::" in stated:
        return None
    scheme, is_address, rest = stated.partition("://")
    if is_address and _SCHEME.fullmatch(scheme):
        told = split("[?#;]", _without_user(rest), maxsplit=1)[0]
        return f"{scheme}://" + ("" if _may_be_secret(told) else told)
    is_file = stated.startswith("/") and not stated.startswith("//")
    if is_file and not is_address:
        return stated
    return None if _may_be_secret(stated) else stated


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


def _without_user(rest: str) -> str:
    """Return what follows the user info; nothing where that is not sure."""
    authority = split("[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest[authority.rindex("@") + 1 :]
    if ":" not in authority or "@" not in rest:
        return rest
    return "" if _HOST_AND_PORT.fullmatch(authority) else rest.rpartition("@")[2]


def _may_be_secret(text: str) -> bool:
    return bool(_USER_AND_PASSWORD.search(text) or _CREDENTIALS.search(text))


def _tags(cell: Mapping[str, Any]) -> Any:
    return cell["metadata"].get("tags", ())
