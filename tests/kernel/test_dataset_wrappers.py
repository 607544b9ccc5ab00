"""What code sees of the wrappers: nothing."""

import copy
import functools
import inspect
import pickle
import subprocess
import sys
import traceback
import types
import warnings

import duckdb
import fsspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.io.parsers import readers
from pyarrow import csv as pacsv
from pyarrow import parquet as pq

from jupyter_otel_kernel.datasets.functions import FUNCTIONS
from tests.kernel.datasets_rig import Rig

FUNCTIONS_OF_OTHERS = {
    "pd.read_csv": lambda: pd.read_csv,
    "pd.DataFrame.to_csv": lambda: pd.DataFrame.to_csv,
    "pl.read_csv": lambda: pl.read_csv,
    "pl.DataFrame.write_csv": lambda: pl.DataFrame.write_csv,
    "pq.read_table": lambda: pq.read_table,
    "pacsv.read_csv": lambda: pacsv.read_csv,
    "np.load": lambda: np.load,
    "np.save": lambda: np.save,
    "np.fromfile": lambda: np.fromfile,
    "fsspec.open": lambda: fsspec.open,
    "duckdb.connect": lambda: duckdb.connect,
}
each_function = pytest.mark.parametrize("name", FUNCTIONS_OF_OTHERS)


def originals():
    """Return what is in every place where a wrapper may be put."""
    found = {}
    for module_name, functions in FUNCTIONS.items():
        for function in functions:
            owner = sys.modules.get(module_name)
            *path, name = function.name.split(".")
            for part in path:
                owner = getattr(owner, part, None)
            for home in getattr(owner, "__mro__", (owner,)):
                if name in getattr(home, "__dict__", {}):
                    found[home, name] = home.__dict__[name]
    return found


def test_taking_the_hooks_out_restores_the_very_originals():
    before = originals()
    rig = Rig()
    within = originals()
    rig.close()

    after = originals()
    changed = [place for place in before if within[place] is not before[place]]
    assert len(changed) > 80
    assert [place for place in before if after[place] is not before[place]] == []
    assert rig.over


def test_what_was_imported_by_name_can_be_pickled_once_the_hooks_are_out(monkeypatch):
    module = types.ModuleType("a_users_own")
    monkeypatch.setitem(sys.modules, "a_users_own", module)
    rig = Rig()
    exec("from numpy import load as read", module.__dict__)  # noqa: S102 - our own
    exec("from numpy import load", rig.user_ns)  # noqa: S102 - our own
    rig.close()

    for function in (module.read, rig.user_ns["load"]):
        assert function is np.load
        assert pickle.loads(pickle.dumps(function)) is np.load  # noqa: S301 - our own


def test_what_somebody_else_has_put_in_our_place_is_left(rig):
    ours = np.load
    np.load = theirs = functools.partial(ours)
    try:
        rig.hooks.uninstall()
        assert np.load is theirs
    finally:
        np.load = ours.__wrapped__


@each_function
def test_functions_are_pickled_and_copied_as_without_us(name, rig):
    function = FUNCTIONS_OF_OTHERS[name]()

    assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301 - our own
    assert copy.deepcopy(function) is function
    assert type(function) is types.FunctionType


@each_function
def test_functions_have_their_signature_name_and_text(name):
    def seen():
        function = FUNCTIONS_OF_OTHERS[name]()
        try:
            signature = str(inspect.signature(function))
        except ValueError as error:
            signature = type(error)
        return signature, function.__name__, function.__doc__

    before = seen()
    rig = Rig()
    within = seen()
    rig.close()

    assert within == before


def test_a_function_got_from_where_it_is_defined_is_the_same_one():
    before = readers.read_csv
    rig = Rig()
    within = pickle.loads(pickle.dumps(readers.read_csv))  # noqa: S301 - our own
    is_wrapped = within is readers.read_csv is pd.read_csv is not before
    rig.close()

    assert is_wrapped
    assert readers.read_csv is before


def test_a_pickled_function_is_the_original_where_nothing_is_hooked():
    rig = Rig()
    pickled = pickle.dumps([pd.read_csv, pl.read_csv, pd.DataFrame.to_csv, np.save])
    rig.close()

    unpickled = pickle.loads(pickled)  # noqa: S301 - our own
    assert unpickled == [pd.read_csv, pl.read_csv, pd.DataFrame.to_csv, np.save]


TROUBLE = {
    "pandas warns": 'pd.read_csv("bad.csv", on_bad_lines="warn")',
    "numpy warns": "np.loadtxt([])",
    "numpy warns of a file": 'np.genfromtxt("empty.txt")',
    "an argument is wrong": "pd.read_csv()",
    "pandas finds no file": 'pd.read_csv("none.csv")',
    "pandas and pyarrow find no file": 'pd.read_parquet("none.parquet")',
    "pyarrow finds no file": 'pq.read_table("none.parquet")',
    "a method finds no folder": 'pd.DataFrame({"a": [1]}).to_csv("none/a.csv")',
    "C code finds no file": 'np.fromfile("none.npy")',
    "a constructor finds no file": 'np.memmap("none.npy", mode="r")',
    "polars finds no file": 'pl.read_csv("none.csv")',
    "duckdb finds no file": 'duckdb.read_csv("none.csv")',
    "fsspec knows no protocol": 'fsspec.open("none://a")',
    "open finds no file": 'open("none.csv")',
}


def observed(rig, code):
    """Return the warnings and the traceback that somebody sees who runs code."""
    modules = {"pd": pd, "np": np, "pq": pq, "pl": pl}
    rig.user_ns.update(modules, duckdb=duckdb, fsspec=fsspec)
    error = None
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            rig.run("\n" + code)
        except Exception as raised:  # noqa: BLE001 - whichever it is
            error = raised
    shown = [(w.filename, w.lineno, w.category, str(w.message)) for w in warned]
    return shown, None if error is None else traceback.format_exception(error)


@pytest.mark.parametrize("name", TROUBLE)
def test_warnings_and_tracebacks_are_as_without_us(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3,4,5\n")
    (tmp_path / "empty.txt").write_text("")
    hooked, plain = Rig(), Rig()
    try:
        plain.hooks.uninstall()
        hooked.hooks.uninstall()
        without = observed(plain, TROUBLE[name])
        again = Rig()
        within = observed(again, TROUBLE[name])
    finally:
        again.close()

    assert within == without
    assert without != ([], None)


def test_a_subclass_may_call_what_is_wrapped(rig, tmp_path):
    class Table(pd.DataFrame):
        def to_csv(self, *args, **kwargs):
            return super().to_csv(*args, **kwargs)

    rig.user_ns.update(Table=Table, path=tmp_path / "a.csv")
    rig.run('Table({"a": [1]}).to_csv(path)')

    assert [data["uri"] for data in rig.data] == [str(tmp_path / "a.csv")]
    assert isinstance(np.memmap(tmp_path / "b", mode="w+", shape=3), np.memmap)


POOL = """
import sys
from multiprocessing import get_context
from tests.kernel.datasets_rig import Rig

def reported(file):
    pd.read_csv(file)
    rig.accesses.report_all()
    return len(rig.data)

if __name__ == "__main__":
    rig = Rig()
    import pandas as pd
    with get_context("fork").Pool(2) as pool:
        rig.user_ns.update(pool=pool, reported=reported, files=sys.argv[1:])
        rig.run("print(pool.map(reported, files))")
    frames = []
    for method in ("fork", "spawn"):
        with get_context(method).Pool(2) as pool:
            rig.user_ns.update(pool=pool, pd=pd, files=sys.argv[1:], frames=frames)
            rig.run("frames += pool.map(pd.read_csv, files)")
    print([int(frame["a"].sum()) for frame in frames], rig.data)
    rig.close()
"""


def test_a_pool_maps_a_reader(tmp_path):
    files = [tmp_path / f"{number}.csv" for number in range(3)]
    for number, file in enumerate(files):
        file.write_text(f"a\n{number}\n")
    script = tmp_path / "pool.py"
    script.write_text(POOL)

    done = subprocess.run(
        [sys.executable, script, *files],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    # Other processes report nothing.
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[0, 0, 0]", "[0, 1, 2, 0, 1, 2] []"]


IMPORTS = """
import sys, traceback
before = list(sys.meta_path)
if {hooked}:
    from tests.kernel.datasets_rig import Rig
    rig = Rig()
import pandas, pyarrow.parquet as pq, polars
print([(m.__name__, type(m.__loader__).__name__, type(m.__spec__.loader).__name__)
       for m in (pandas, pq, polars)])
print(hasattr(pandas.read_csv, "__wrapped__"), hasattr(pq.read_table, "__wrapped__"))
try:
    import pandas.no_such_module
except ImportError as error:
    print(error)
sys.path.insert(0, {folder!r})
try:
    import duckdb
except ZeroDivisionError:
    print(traceback.format_exc())
if {hooked}:
    rig.close()
print(sys.meta_path == before)
print(hasattr(pandas.read_csv, "__wrapped__"), hasattr(pq.read_table, "__wrapped__"))
"""


def test_a_module_is_imported_as_without_us_and_its_functions_are_wrapped(tmp_path):
    (tmp_path / "duckdb.py").write_text("1 / 0\n")

    def output(*, hooked):
        done = subprocess.run(
            [sys.executable, "-c", IMPORTS.format(hooked=hooked, folder=str(tmp_path))],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        return done.stdout.splitlines()

    plain, hooked = output(hooked=False), output(hooked=True)

    assert any(line.endswith('duckdb.py", line 1, in <module>') for line in plain)
    # The script has the same lines in both.
    assert hooked[1] == "True True"
    assert plain[1] == "False False"
    assert hooked[:1] + hooked[2:] == plain[:1] + plain[2:]
