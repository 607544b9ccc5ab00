import os

import pytest

from jupyter_otel.sources.client_programs import client_program


@pytest.mark.parametrize(
    ("arguments", "program"),
    [
        (["/usr/bin/python3", "/opt/bin/jupyter-console", "--existing"], "console"),
        (["python", "-m", "jupyter_console", "--existing"], "console"),
        (["python3.11", "-E", "/opt/bin/papermill", "a.ipynb"], "papermill"),
        (["/opt/bin/jupyter-nbconvert", "--execute", "a.ipynb"], "nbconvert"),
        (["python", "/opt/bin/jupyter-execute", "a.ipynb"], "nbclient"),
        (["python", "work.py", "papermill"], None),
        (["less", "papermill"], None),
        (["python"], None),
        ([""], None),
    ],
)
def test_a_program_is_known_by_its_file_or_module(tmp_path, arguments, program):
    (tmp_path / "17").mkdir()
    line = b"\0".join(argument.encode() for argument in arguments) + b"\0"
    (tmp_path / "17" / "cmdline").write_bytes(line)

    assert client_program(17, tmp_path) == program


def test_a_process_that_cannot_be_looked_at_is_no_program(tmp_path):
    assert client_program(17, tmp_path) is None


def test_this_process_is_the_server(tmp_path):
    assert client_program(os.getpid(), tmp_path) == "server"
