"""The hooks for programs that run notebooks: what they are given, and for whom.

How a run is told from hooks is in ``sources/notebook_runs.py``.
"""

import os
from functools import partial

from jupyter_otel.event import ACCOUNT, Person
from jupyter_otel.hosts.code import takes_code
from jupyter_otel.hosts.runs.configured import configured_telemetry
from jupyter_otel.hosts.server.trace_context import TraceContext
from jupyter_otel.schema import Schema
from jupyter_otel.sources.execution_reports import EXECUTION_SCHEMA
from jupyter_otel.sources.faults import HookEdge
from jupyter_otel.sources.notebook_runs import (
    NOTEBOOK_RUN_SCHEMA,
    Hook,
    NotebookRuns,
    RunCapture,
)
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.tracing.propagation import surrounding_span

_EDGE = HookEdge("a notebook run")


def notebook_hooks(
    telemetry: Telemetry | None = None, *, notebook_path: str | None = None
) -> dict[str, Hook]:
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
        return _hooks(telemetry, None, notebook_path)
    with _EDGE:  # a bug of ours must not cost anybody a run
        configured = configured_telemetry()
        if configured is not None:
            return _hooks(configured, ACCOUNT, notebook_path)
    return {}


def _hooks(
    telemetry: Telemetry, person: Person | None, notebook_path: str | None
) -> dict[str, Hook]:
    settings = telemetry.settings
    if not telemetry.enabled or not settings.sources.executions:
        return {}
    run_schema = _collected(telemetry, NOTEBOOK_RUN_SCHEMA)
    execution_schema = _collected(telemetry, EXECUTION_SCHEMA)
    if run_schema is None and execution_schema is None:
        return {}
    capture = RunCapture(
        intake=telemetry.intake,
        run_schema=run_schema,
        execution_schema=execution_schema,
        takes_code=takes_code(settings.policy),
        spans=TraceContext(
            telemetry.spans, tells_kernel=settings.traces.kernel != "off"
        )
        if settings.traces.enabled
        else None,
        parent=partial(surrounding_span, os.environ),
        person=person,
        notebook_path=notebook_path,
        heartbeat_s=settings.sources.heartbeat_s,
    )
    runs = NotebookRuns(capture)
    telemetry.close_before(runs)
    return runs.hooks()


def _collected(telemetry: Telemetry, schema_id: str) -> Schema | None:
    schema = telemetry.intake.find(schema_id)
    admitted = schema is not None and telemetry.intake.admits(schema)
    return schema if admitted else None
