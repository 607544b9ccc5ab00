"""Runs cells in kernels that somebody else started, as one of several programs does.

    python attached_client.py
    ◀── {"program": "nbclient", "connection_file": "…", "cells": ["1 + 1"]}
    ──▶ 1234

Each line makes a process of its own, whose number is answered: it can be killed in
the middle of a cell. Whatever a program makes of errors is its own matter.
"""

import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import nbformat
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat.v4 import new_code_cell, new_notebook
from papermill import execute_notebook
from papermill.exceptions import PapermillExecutionError


class OthersKernel(AsyncKernelManager):
    """A kernel that is neither started nor stopped here."""

    def __init__(self, connection_file: str) -> None:
        super().__init__(connection_file=connection_file, owns_kernel=False)
        self.load_connection_file()

    @property
    def has_kernel(self) -> bool:
        """Whether there is a kernel already: nobody shall start one."""
        return True


def notebook(cells):
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(
        cells=[new_code_cell(code) for code in cells],
        metadata={"kernelspec": python, "language_info": {"name": "python"}},
    )


def run_script(connection_file, cells):
    """Ask for everything at once, and wait for every answer."""
    client = BlockingKernelClient(connection_file=connection_file)
    client.load_connection_file()
    # On a machine that is busy a heart may miss a beat: that is no death.
    client.start_channels(hb=False)
    client.wait_for_ready(timeout=60)
    asked = {client.execute(code) for code in cells}
    while asked:
        asked.discard(client.get_shell_msg(timeout=60)["parent_header"]["msg_id"])


def run_nbclient(connection_file, cells):
    NotebookClient(notebook(cells), km=OthersKernel(connection_file)).execute()


def run_nbconvert(connection_file, cells):
    kernel = OthersKernel(connection_file)
    ExecutePreprocessor().preprocess(notebook(cells), {}, km=kernel)


def run_papermill(connection_file, cells):
    kernel = OthersKernel(connection_file)
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "asked.ipynb"
        nbformat.write(notebook(cells), asked)
        execute_notebook(asked, None, km=kernel, progress_bar=False)


PROGRAMS = {
    "script": run_script,
    "nbclient": run_nbclient,
    "nbconvert": run_nbconvert,
    "papermill": run_papermill,
}
EXPECTED = (CellExecutionError, DeadKernelError, PapermillExecutionError)


def run_as_process(program, connection_file, cells) -> int:
    """Return the number of a new process that runs the cells."""
    child = os.fork()
    if child:
        return child
    with suppress(*EXPECTED):
        PROGRAMS[program](connection_file, cells)
    os._exit(0)


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(f"{run_as_process(**json.loads(line))}\n")
        sys.stdout.flush()
