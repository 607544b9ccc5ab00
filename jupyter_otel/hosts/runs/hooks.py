"""The hooks for programs that run notebooks, whoever configures them.

What collects is imported where something is collected, here too.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from jupyter_otel.sources.faults import HookEdge

if TYPE_CHECKING:  # what only a telemetry that runs needs
    from jupyter_otel.telemetry import Telemetry

_EDGE = HookEdge("a notebook run")


def notebook_hooks(
    telemetry: "Telemetry | None" = None, *, notebook_path: str | None = None
) -> dict[str, Callable[..., None]]:
    """Return hooks that report the runs of notebooks and their cells.

    ::

        NotebookClient(nb, **notebook_hooks(telemetry)).execute()
        papermill.execute_notebook("in.ipynb", "out.ipynb", **notebook_hooks(telemetry))
        c.NotebookClient.update(notebook_hooks())  # jupyter_nbconvert_config.py

    They serve any number of clients, also at once, and never raise. A run is a child
    of the OpenTelemetry span that it starts in, or of what ``TRACEPARENT`` names, its
    cells are children of the run, and spans of their own code children of theirs.

    Args:
        telemetry: Where to report. Its records are nobody's and need no consent: who
            runs is not known. None: the one that Jupyter's config path says, whose
            records are those of the operating-system account, with its consent.
        notebook_path: The notebook's path, for nbclient, which knows none.

    Returns:
        By the names of nbclient's traits; empty where nothing of it is collected.
    """
    if telemetry is not None:
        from jupyter_otel.hosts.runs.capture import hooks_of  # noqa: PLC0415 - if used

        return hooks_of(telemetry, None, notebook_path)
    with _EDGE:  # a bug of ours must not cost anybody a run
        from jupyter_otel.hosts.runs.configured import (  # noqa: PLC0415 - if used
            configured_hooks,
        )

        return configured_hooks(notebook_path)
    return {}
