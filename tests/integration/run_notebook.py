"""Runs notebooks as a program of a user's would, reported as Jupyter's files say.

Usage: run_notebook.py HOW TIMEOUT NOTEBOOK…
"""

import asyncio
import multiprocessing
import sys
from functools import partial

import nbformat
import papermill
from nbclient import NotebookClient
from opentelemetry.sdk.trace import TracerProvider

from jupyter_otel import Telemetry, notebook_hooks
from jupyter_otel.config_files import load_configuration


def run(how, timeout, *paths):
    """Run each notebook; write what became of it to out.ipynb."""
    with Telemetry(load_configuration(None)) as telemetry:
        hooks = notebook_hooks(telemetry)
        if how == "closed":
            telemetry.close()
        if how == "worker":
            process = multiprocessing.get_context("fork").Process
            worker = process(target=run_configured, args=paths)
            worker.start()
            worker.join()
            return
        if "papermill" in how:
            settings = {"execution_timeout": timeout, "progress_bar": False}
            work = partial(papermill.execute_notebook, paths[0], "out.ipynb")
            work = partial(work, **settings, **hooks)
            asyncio.run(inside(work)) if "inside" in how else work()
            return
        notebooks = [nbformat.read(path, as_version=4) for path in paths]
        clients = [NotebookClient(each, timeout=timeout, **hooks) for each in notebooks]
        if how == "async":
            asyncio.run(run_together(clients))
        elif how == "span":
            with (
                TracerProvider()
                .get_tracer("task")
                .start_as_current_span("task") as task
            ):
                clients[0].execute()
            print(f"{task.context.trace_id:032x} {task.context.span_id:016x}")  # noqa: T201 - for the test to read
        else:
            clients[0].execute()
        nbformat.write(notebooks[0], "out.ipynb")


def run_configured(path):
    """Run one as Jupyter's files say, in whatever process this is."""
    engine = {"engine_name": "jupyter_otel", "progress_bar": False}
    papermill.execute_notebook(path, "out.ipynb", **engine)


async def inside(work):
    """Work while an event loop runs, as in a notebook's cell."""
    work()


async def run_together(clients):
    """Run all at the same time."""
    await asyncio.gather(*(client.async_execute() for client in clients))


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
