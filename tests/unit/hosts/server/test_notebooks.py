from types import SimpleNamespace

import pytest
from jupyter_server.services.sessions.sessionmanager import SessionManager

from jupyter_otel.hosts.server.notebooks import NotebookPaths, notebook_path

UUID = "1c0c94a9-6c5e-4d4f-8a6e-2f1a3b4c5d6e"


@pytest.fixture
def sessions():
    manager = SessionManager()
    yield manager
    manager.close()


def add(manager, path, kernel_id, kind="notebook"):
    manager.cursor.execute(
        "INSERT INTO session (session_id, path, type, kernel_id) VALUES (?,?,?,?)",
        ("s", path, kind, kernel_id),
    )


def test_a_kernels_notebook_is_found_and_its_new_name_too(sessions):
    add(sessions, "a/b.ipynb", "k1")
    paths = NotebookPaths(sessions)

    before = paths("k1")
    sessions.cursor.execute("UPDATE session SET path = 'a/c.ipynb'")

    assert (before, paths("k1")) == ("a/b.ipynb", "a/c.ipynb")


def test_kernels_without_a_notebook_have_no_path(sessions):
    add(sessions, "console-1", "k1", kind="console")

    assert [NotebookPaths(sessions)(kernel_id) for kernel_id in ("k1", "k2")] == [
        None,
        None,
    ]


def test_without_a_table_there_is_no_path(sessions):
    assert NotebookPaths(sessions)("k1") is None
    assert NotebookPaths(SimpleNamespace())("k1") is None


@pytest.mark.parametrize(
    ("session_path", "path"),
    [
        ("a/b.ipynb", "a/b.ipynb"),
        (UUID, None),
        (f"a/{UUID}", None),
        (f"a/b-jvsc-{UUID}.ipynb", "a/b.ipynb"),
        ("", None),
        (None, None),
    ],
)
def test_made_up_paths_and_marks_are_no_path(session_path, path):
    assert notebook_path(session_path) == path
