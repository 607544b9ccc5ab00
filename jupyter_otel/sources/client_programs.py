"""Which known program a process of this machine is, by its command line.

Clients of kernels that come by no WebSocket say only the number of their process. Of
the command line nothing is kept but one of the words below, and a process that cannot
be looked at has none.
"""

import os
from pathlib import Path

SERVER = "server"
"""Code that the Jupyter server itself runs, for an extension of it."""

# By the name of a program's file, or of the module that Python was told to run.
_PROGRAMS = {
    "jupyter-console": "console",
    "jupyter_console": "console",
    "jupyter-qtconsole": "qtconsole",
    "qtconsole": "qtconsole",
    "papermill": "papermill",
    "jupyter-nbconvert": "nbconvert",
    "nbconvert": "nbconvert",
    "jupyter-execute": "nbclient",
    "jupyter-run": "nbclient",
    "spyder": "spyder",
}
_MAX_BYTES = 4096
_PROCESSES = Path("/proc")


def client_program(process_id: int, processes: Path = _PROCESSES) -> str | None:
    """Return the program's word; None for any other, and where nobody can tell."""
    if process_id == os.getpid():
        return SERVER
    try:
        with (processes / str(process_id) / "cmdline").open("rb") as file:
            arguments = file.read(_MAX_BYTES).split(b"\0")
    except OSError:
        return None
    program, *further = [_file_name(argument) for argument in arguments]
    if program.startswith("python"):
        program = next((each for each in further if not each.startswith("-")), "")
    return _PROGRAMS.get(program)


def _file_name(argument: bytes) -> str:
    return argument.decode(errors="replace").rpartition("/")[2]
