"""Each function that is wrapped, called for real, once."""

import re
import sqlite3
import sqlite3.dbapi2
from pathlib import Path
from types import SimpleNamespace

import duckdb
import fsspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
import sqlalchemy
import yaml
from pyarrow import csv, feather, json, orc
from pyarrow import parquet as pq

from jupyter_otel_kernel.datasets.functions import FUNCTIONS

CALLS = yaml.safe_load((Path(__file__).parent / "dataset_calls.yaml").read_text())
RUN_HERE = [
    pytest.param((module, name, call), id=f"{module}.{name}")
    for module, calls in CALLS.items()
    for name, call in calls.items()
    if "missing" not in call
]


@pytest.fixture(scope="module")
def names():
    """Return what the calls are made with."""
    df = pd.DataFrame({"a": [1, 2, 3]})
    return {
        "duckdb": duckdb,
        "fsspec": fsspec,
        "np": np,
        "pd": pd,
        "pl": pl,
        "ds": ds,
        "pq": pq,
        "pacsv": csv,
        "pajson": json,
        "feather": feather,
        "orc": orc,
        "sqlite3": sqlite3,
        "df": df,
        "table": pa.table({"a": [1, 2, 3]}),
        "array": np.arange(3),
        "frame": pl.DataFrame({"a": [1, 2, 3]}),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory, names):
    """Return a folder with a dataset of each format, made before anything is hooked."""
    folder = tmp_path_factory.mktemp("datasets")
    it = SimpleNamespace(**names)
    it.df.to_csv(folder / "a.csv", index=False)
    it.df.to_json(folder / "a.json")
    it.df.to_parquet(folder / "a.parquet")
    it.df.to_feather(folder / "a.feather")
    it.df.to_pickle(folder / "a.pkl")
    it.df.to_orc(folder / "a.orc")
    it.df.to_stata(folder / "a.dta")
    it.df.to_xml(folder / "a.xml", parser="etree")
    it.df.to_excel(folder / "a.xlsx")
    it.df.to_sql("t", f"sqlite:///{folder / 'a.db'}")
    it.frame.write_ipc(folder / "a.ipc")
    it.frame.write_ipc_stream(folder / "a.ipcs")
    it.frame.write_json(folder / "a.pl.json")
    it.frame.write_ndjson(folder / "a.ndjson")
    it.frame.write_avro(folder / "a.avro")
    it.np.save(folder / "a.npy", it.array)
    it.np.savetxt(folder / "a.txt", it.array)
    it.pq.write_metadata(it.table.schema, folder / "_metadata")
    return folder


@pytest.fixture
def connection(folder, monkeypatch):
    """Return a connection that was made before anything is hooked, in the folder."""
    monkeypatch.chdir(folder)
    engine = sqlalchemy.create_engine("sqlite:///a.db")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize("which", RUN_HERE)
def test_a_call_is_recorded_once(which, folder, names, connection, rig):
    module, name, call = which
    rig.user_ns.update(names, connection=connection)

    rig.run(call["call"])

    path = folder / call["opens"]
    # How much is written through what is only opened nobody knows yet.
    is_told = path.is_file() and not call.get("opened_only")
    expected = {
        "operation": call["operation"],
        "status": "ok",
        "library": "python" if "IPython" in module else module.partition(".")[0],
        "function": call.get("function", re.sub(r"\.__(init|new)__$", "", name)),
        "format": call["format"],
        "uri": str(path),
        "size_bytes": path.stat().st_size if is_told else None,
    }
    assert rig.data == [{k: v for k, v in expected.items() if v is not None}]


def test_every_wrapped_function_is_called_here_or_said_why_not():
    wrapped = {
        module: {function.name for function in functions}
        for module, functions in FUNCTIONS.items()
    }
    assert wrapped == {module: set(calls) for module, calls in CALLS.items()}
