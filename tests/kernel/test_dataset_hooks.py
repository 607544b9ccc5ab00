"""What is reported of a cell, and what is not."""

import contextvars
import gc
import io
import sqlite3
import sys
import threading
import weakref

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sqlalchemy.exc

import jupyter_otel_kernel
from jupyter_otel_kernel.datasets.cell_log import UNEXPLAINED_BYTES
from jupyter_otel_kernel.datasets.functions import FUNCTIONS
from jupyter_otel_kernel.datasets.targets import names_of
from jupyter_otel_kernel.datasets.uris import clean


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder in which the cells run; nothing is in it but ``a.csv``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("a\n1\n")
    return tmp_path


def told(rig):
    return [
        (data["operation"], data.get("uri"), data.get("status")) for data in rig.data
    ]


def test_a_dataset_is_reported_once_a_cell_and_operation(rig, folder):
    rig.user_ns.update(pd=pd, roundabout=f"{folder}/../{folder.name}/a.csv")
    for msg_id in ("m1", "m2"):
        rig.run(
            "for _ in range(3):\n"
            "    frame = pd.read_csv('a.csv')\n"
            "    pd.read_table('./a.csv')\n"
            "    pd.read_csv(roundabout)\n"
            "    open('a.csv').close()\n"
            "    frame.to_csv('a.csv', index=False)\n",
            msg_id,
        )

    path = str(folder / "a.csv")
    both = [("read", path, "ok"), ("write", path, "ok")]
    assert told(rig) == both + both
    assert [msg_id for msg_id, _ in rig.events] == ["m1", "m1", "m2", "m2"]


def test_a_loop_over_10_000_files_is_1000_events_and_the_rest_is_counted(rig, folder):
    rig.user_ns.update(np=np, files=[f"{number}.npy" for number in range(10_000)])
    content = io.BytesIO()
    np.save(content, [1])
    (folder / "0.npy").write_bytes(content.getvalue())
    for number in range(1, 10_000):
        (folder / f"{number}.npy").hardlink_to(folder / "0.npy")

    rig.run("for file in files: np.load(file)")

    assert len(rig.data) == 999
    *single, summary = rig.data
    assert {data["operation"] for data in single} == {"read"}
    read_bytes = summary.pop("read_bytes")
    assert read_bytes >= 10_000 * (folder / "0.npy").stat().st_size
    assert summary == {"operation": "summary", "recorded": 998, "further": 9002}


def test_a_cell_whose_tasks_go_on_for_many_cells_is_1000_events(rig, folder):
    rig.user_ns.update(copy_context=contextvars.copy_context, names=iter(range(10_000)))
    rig.run("later = copy_context().run")
    rig.run(
        "def burst():\n    for _ in range(998): open(f'{next(names)}', 'w').close()"
    )
    for number in range(5):
        rig.run("later(burst)", f"burst {number}")
        for other in range(5):
            rig.run("pass", f"other {number} {other}")

    of_the_first = [data for msg_id, data in rig.events if msg_id == "m1"]
    further = [data["further"] for data in of_the_first if "further" in data]
    assert (len(of_the_first), further) == (1000, [998, 1996])


def test_a_full_cell_does_not_count_what_another_one_s_task_opens(rig, folder):
    rig.user_ns["copy_context"] = contextvars.copy_context
    rig.run("later = copy_context().run")
    rig.run(
        "for number in range(1000): open(f'{number}', 'w').close()\n"
        "later(open, 'a.csv').close()\n",
        "m2",
    )

    assert [data["further"] for _, data in rig.events if "further" in data] == [2]
    of_the_first = [data["uri"] for msg_id, data in rig.events if msg_id == "m1"]
    assert of_the_first == [str(folder / "a.csv")]


def test_much_that_was_read_past_us_is_told(rig, folder):
    (folder / "big").write_bytes(bytes(UNEXPLAINED_BYTES))
    rig.user_ns["read"] = (folder / "big").read_bytes
    rig.run("read()")
    rig.run("with open('big', 'rb') as f: f.read()", "m2")

    [past_us, seen] = rig.data
    assert past_us.pop("read_bytes") >= UNEXPLAINED_BYTES
    assert past_us == {"operation": "summary", "recorded": 0, "further": 0}
    assert seen["uri"] == str(folder / "big")


def test_a_long_cell_reports_while_it_runs(rig, folder):
    seen = []

    def wait():
        rig.later.pop()()
        seen.append([data["uri"] for data in rig.data])

    rig.user_ns["wait"] = wait
    rig.run("open('a.csv').close(); wait(); open('b.csv', 'w').close(); wait()")

    both = [str(folder / "a.csv"), str(folder / "b.csv")]
    assert seen == [both[:1], both]
    assert len(rig.data) == 2
    assert rig.later == []


def test_a_relative_path_is_of_the_folder_at_the_call(rig, folder):
    (folder / "other").mkdir()
    rig.run("import os; open('a.csv').close(); os.chdir('other')")

    assert [data["uri"] for data in rig.data] == [str(folder / "a.csv")]


def test_a_cell_that_does_not_ask_reports_nothing(rig, folder):
    rig.run("open('a.csv').close()", asks=False)

    assert rig.events == []


@pytest.mark.parametrize(
    ("mode", "operation"),
    [("r", "read"), ("rb", "read"), ("w", "write"), ("a", "write"), ("r+", "write")],
)
def test_how_a_file_is_opened_says_what_is_done(rig, folder, mode, operation):
    rig.run(f"open('a.csv', {mode!r}).close(); open('a.csv', mode={mode!r}).close()")

    assert [data["operation"] for data in rig.data] == [operation]


def test_what_has_no_name_is_no_dataset(rig, folder):
    rig.user_ns.update(pd=pd, io=io, sqlite3=sqlite3, np=np)
    rig.run(
        "pd.read_csv(io.StringIO('a\\n1\\n'))\n"
        "pd.DataFrame().to_csv()\n"
        "sqlite3.connect(':memory:').close()\n"
        "np.loadtxt(['1', '2'])\n"
        "pd.read_json(io.BytesIO(b'[1]'))\n"
        "import os; open(os.open('a.csv', os.O_RDONLY)).close()\n"
    )

    assert rig.events == []


def test_a_list_of_names_is_as_many_datasets_where_it_can_be_one(rig, folder):
    (folder / "b.csv").write_text("a\n2\n")
    rig.user_ns.update(pl=pl)
    rig.run("pl.read_csv(['a.csv', 'b.csv', 'a.csv'])")

    assert [data["uri"] for data in rig.data] == [
        str(folder / "a.csv"),
        str(folder / "b.csv"),
    ]


def test_a_file_that_was_opened_elsewhere_is_known_by_its_name(rig, folder):
    with (folder / "a.csv").open() as file:
        rig.user_ns.update(pd=pd, file=file)
        rig.run("pd.read_csv(file)")

    assert told(rig) == [("read", str(folder / "a.csv"), "ok")]


def test_an_attempt_that_fails_is_told_as_such(rig, folder):
    rig.user_ns["pd"] = pd
    with pytest.raises(FileNotFoundError):
        rig.run("pd.read_csv('none.csv')")

    assert told(rig) == [("read", str(folder / "none.csv"), "error")]


def test_a_connection_says_which_database_without_its_password(rig, folder):
    rig.user_ns.update(pd=pd, connection=sqlite3.connect(":memory:"))
    rig.run("pd.read_sql('select 1', connection); connection.close()")
    with pytest.raises(sqlalchemy.exc.NoSuchModuleError):
        rig.run("pd.read_sql('select 1', 'mssql+none://ann:hunter2@db/x?hunter2')")

    assert told(rig) == [
        ("read", "sqlite3:", "ok"),
        ("read", "mssql+none://db/x", "error"),
    ]


@pytest.mark.parametrize(
    ("library", "function", "text"),
    [
        ("polars", "read_database", "Driver={SQL};Uid=ann;Pwd=hunter2"),
        ("polars", "read_database", "ann/hunter2@db"),
        ("pandas", "read_sql", "oracle:ann/hunter2@db"),
        ("duckdb", "connect", "postgres:dbname=x password=hunter2"),
    ],
)
def test_a_driver_s_own_text_is_told_by_the_library(library, function, text):
    [it] = [known for known in FUNCTIONS[library] if known.name == function]
    [name] = names_of(it, library, (), {it.keyword: text})

    assert clean(name) == f"{library}:"


@pytest.mark.parametrize(
    ("name", "known"),
    [("A.CSV", "csv"), ("notes.johnsmith", None), ("jane", None)],
)
def test_a_name_s_end_is_a_format_only_where_it_is_known_as_one(
    rig, folder, name, known
):
    rig.run(f"open({name!r}, 'w').close()")

    assert [data.get("format") for data in rig.data] == [known]


class Hostile:
    """Something path-like that defends itself."""

    def __fspath__(self):
        raise RuntimeError("no")

    def __getattr__(self, name):
        raise RuntimeError(name)


def test_an_argument_that_cannot_be_read_changes_nothing(rig, folder):
    rig.user_ns.update(np=np, hostile=Hostile())
    with pytest.raises(RuntimeError, match="read"):
        rig.run("np.load(hostile)")

    assert rig.events == []
    assert rig.hooks.faults == 1
    rig.hooks.faults = 0


def test_nothing_that_is_read_or_named_is_kept_alive(rig, folder):
    class Path(str):
        __slots__ = ("__weakref__",)

    array, path = np.arange(3), Path("b.npy")
    rig.user_ns.update(np=np, array=array, path=path)
    rig.run("np.save(path, array)")
    alive = [weakref.ref(array), weakref.ref(path)]
    rig.user_ns.clear()

    del array, path
    gc.collect()
    assert [reference() for reference in alive] == [None, None]


@pytest.mark.skipif(
    getattr(sys.flags, "thread_inherit_context", 0), reason="threads get the context"
)
def test_a_thread_reports_for_its_cell_if_it_got_the_context_else_for_none(rig, folder):
    rig.user_ns.update(threading=threading, pd=pd, contextvars=contextvars)
    rig.run(
        "run = contextvars.copy_context().run\n"
        "read = pd.read_csv\n"
        "for target, args in ((run, (read, 'a.csv')), (read, ('a.csv',))):\n"
        "    thread = threading.Thread(target=target, args=args)\n"
        "    thread.start(); thread.join()\n"
    )

    assert [msg_id for msg_id, _ in rig.events] == ["m1", ""]


def test_a_library_that_is_not_wrapped_can_be_told_by_hand(shell, run):
    assert jupyter_otel_kernel.record_dataset("s3://b/a.zarr") is False
    told = run(
        "from jupyter_otel_kernel import record_dataset\n"
        "told = [record_dataset('s3://u:p@b/a.zarr?x', size_bytes=7),\n"
        "        record_dataset('s3://b/a.zarr'), record_dataset('')]\n"
        "from pathlib import Path\n"
        "told.append(record_dataset(Path('a.zarr'), 'write'))\n"
        "told.append(record_dataset('b.zarr', 'reed'))\n",
        jupyter_otel={"listens": True, "datasets": True},
    )["told"]

    assert told == [True, False, False, True, False]


def test_open_is_wrapped_again_after_the_namespace_was_reset(shell, run):
    asks = {"listens": True, "datasets": True}
    plain = shell.user_ns["open"]
    run("pass", jupyter_otel=asks)
    ours = shell.user_ns["open"]
    run("get_ipython().reset(new_session=False)", jupyter_otel=asks)

    assert ours is not plain
    assert shell.user_ns["open"] is ours
    shell.extension_manager.unload_extension("jupyter_otel_kernel")
    assert shell.user_ns["open"] is plain
