"""What the hooks for programs that run notebooks are given by a telemetry.

How a run is told from hooks is in ``sources/notebook_runs.py``.
"""

import os
from functools import partial

from jupyter_otel.event import Person
from jupyter_otel.hosts.code import takes_code
from jupyter_otel.hosts.collected_schema import collected_schema
from jupyter_otel.hosts.trace_context import execution_spans
from jupyter_otel.sources.execution_reports import EXECUTION_SCHEMA
from jupyter_otel.sources.notebook_runs import (
    NOTEBOOK_RUN_SCHEMA,
    Hook,
    NotebookRuns,
    RunCapture,
)
from jupyter_otel.telemetry import Telemetry
from jupyter_otel.tracing.propagation import surrounding_span


def hooks_of(
    telemetry: Telemetry, person: Person | None, notebook_path: str | None
) -> dict[str, Hook]:
    """Return the hooks that report runs to a telemetry; none where it collects none.

    Args:
        telemetry: Where to report.
        person: Whose the runs are; None: nobody's.
        notebook_path: The notebook's path; None: what the engine knows.
    """
    settings = telemetry.settings
    is_on = telemetry.enabled and settings.sources.executions
    run_schema = collected_schema(telemetry, NOTEBOOK_RUN_SCHEMA, is_on=is_on)
    execution_schema = collected_schema(telemetry, EXECUTION_SCHEMA, is_on=is_on)
    if run_schema is None and execution_schema is None:
        return {}
    capture = RunCapture(
        intake=telemetry.intake,
        run_schema=run_schema,
        execution_schema=execution_schema,
        takes_code=takes_code(settings.policy),
        spans=execution_spans(telemetry),
        parent=partial(surrounding_span, os.environ),
        person=person,
        notebook_path=notebook_path,
        heartbeat_s=settings.sources.heartbeat_s,
    )
    runs = NotebookRuns(capture)
    telemetry.close_before(runs)
    return runs.hooks()
