"""What is read off clients of nbclient's, papermill's and nbconvert's own classes."""

import pytest
from nbclient import NotebookClient
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat.v4 import new_code_cell, new_notebook
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager

from jupyter_otel.sources.notebook_clients import (
    engine_of,
    fails_run,
    path_of,
    plain_path,
)

CELL = new_code_cell("1")


def papermill_client(**metadata):
    notebook = new_notebook(metadata={"papermill": metadata})
    manager = NotebookExecutionManager(notebook, progress_bar=False)
    return PapermillNotebookClient(manager)


def error(name, value=""):
    return {"status": "error", "ename": name, "evalue": value}


def test_an_engine_is_told_by_its_client():
    clients = (
        NotebookClient(new_notebook()),
        papermill_client(),
        ExecutePreprocessor(),
    )
    assert [engine_of(client) for client in clients] == [
        "nbclient",
        "papermill",
        "nbconvert",
    ]


def test_nbclient_knows_no_path():
    resources = {"metadata": {"path": "folder", "name": "a"}}
    client = NotebookClient(new_notebook(), resources=resources)
    assert path_of(client, client.nb) is None


def test_papermill_s_path_is_its_input_s():
    client = papermill_client(input_path="in/a.ipynb", output_path="out/b.ipynb")
    assert path_of(client, client.nb) == "in/a.ipynb"


@pytest.mark.parametrize(
    ("about", "path"),
    [
        ({"name": "a", "path": "folder"}, "folder/a.ipynb"),
        ({"name": "a", "path": ""}, "a.ipynb"),
        ({"name": "a"}, "a.ipynb"),
        ({}, None),
    ],
)
def test_nbconvert_s_path_is_made_of_folder_and_name(about, path):
    client = ExecutePreprocessor(resources={"metadata": about})
    assert path_of(client, new_notebook()) == path


@pytest.mark.parametrize(
    ("stated", "path"),
    [
        ("a b/c.ipynb", "a b/c.ipynb"),
        ("s3://bucket/a.ipynb", "s3://bucket/a.ipynb"),
        ("https://me:word@host:8443/a.ipynb?sig=1#x", "https://host:8443/a.ipynb"),
        ("https://me:wo/rd@host/a.ipynb", "https://host/a.ipynb"),
        ("https://me:123/rd@host/a.ipynb", "https://"),
        ("https://host/a.ipynb;jsessionid=word", "https://host/a.ipynb"),
        ("https://host/token=word/a.ipynb", "https://"),
        ("https:/me:word@host/a.ipynb", None),
        ("//me:word@host/share/a.ipynb", None),
        ("Driver={SQL};Uid=me;Pwd=word", None),
        ("/home/me@example.org/a:b.ipynb", "/home/me@example.org/a:b.ipynb"),
        ("-", None),
        ("", None),
        (None, None),
        ({"cells": []}, None),
    ],
)
def test_of_an_address_only_host_and_path_are_told(stated, path):
    assert plain_path(stated) == path


@pytest.mark.parametrize(
    ("reply", "fails"),
    [
        (error("NameError", "x"), True),
        (error("SystemExit", "1"), True),
        (error("SystemExit", "0"), False),
        (error("SystemExit"), False),
        ({"status": "ok"}, False),
    ],
)
def test_papermill_forgives_nothing_but_an_exit_without_complaint(reply, fails):
    client = papermill_client()
    client.allow_errors = True
    assert fails_run(client, CELL, reply) is fails


def test_to_nbclient_an_exit_is_an_error():
    client = NotebookClient(new_notebook())
    assert fails_run(client, CELL, error("SystemExit", "0"))
