"""The functions that read or write data, by the module whose import brings them.

Data only. A function that is missing in somebody's version is passed over. Not here, on
purpose: `duckdb.sql`, `.query` and `.execute`, which look for tables among their
caller's variables and would find ours; methods of types written in C, which cannot be
replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

BY_MODE = "by mode"
"""The operation of a function that is told by an argument ``mode``, as in `open`."""


class Function(NamedTuple):
    """One of them."""

    name: str
    """Within its module, ``DataFrame.to_csv``."""
    operation: str
    """``read``, ``write``, ``connect`` or `BY_MODE`."""
    format: str
    """Of the data; empty: as the file's name says."""
    position: int
    """Of the argument that says which dataset, `self` counted."""
    keyword: str
    """The same argument's name."""
    mode_position: int = 1
    mode: str = "r"
    """Where it is not given."""
    takes_several: bool = False
    """Whether the argument may be a list of names. Elsewhere a list is data."""

    @property
    def only_opens(self) -> bool:
        """Whether what it writes is written after it has returned."""
        return self.operation == BY_MODE or self.name.endswith("__init__")

    @property
    def shown(self) -> str:
        """The name as people know it."""
        if self.name == "_modified_open":
            return "open"
        return self.name.removesuffix(".__init__").removesuffix(".__new__")


def _read(data_format: str, keyword: str, *names: str) -> list[Function]:
    return [Function(name, "read", data_format, 0, keyword) for name in names]


def _read_several(data_format: str, keyword: str, *names: str) -> list[Function]:
    read = _read(data_format, keyword, *names)
    return [function._replace(takes_several=True) for function in read]


def _method(owner: str, keyword: str, position: int, **names: str) -> list[Function]:
    """Return methods that write, by the format of each."""
    return [
        Function(f"{owner}.{name}", "write", data_format, position, keyword)
        for name, data_format in names.items()
    ]


_PANDAS = [
    *_read("csv", "filepath_or_buffer", "read_csv", "read_table", "read_fwf"),
    *_read("pickle", "filepath_or_buffer", "read_pickle"),
    *_read("stata", "filepath_or_buffer", "read_stata"),
    *_read("sas", "filepath_or_buffer", "read_sas"),
    *_read("excel", "io", "read_excel"),
    *_read("excel", "path_or_buffer", "ExcelFile.__init__"),
    *_read("html", "io", "read_html"),
    *_read("json", "path_or_buf", "read_json"),
    *_read("hdf", "path_or_buf", "read_hdf"),
    *_read("xml", "path_or_buffer", "read_xml"),
    *_read("parquet", "path", "read_parquet"),
    *_read("feather", "path", "read_feather"),
    *_read("orc", "path", "read_orc"),
    *_read("spss", "path", "read_spss"),
    Function("read_sql", "read", "sql", 1, "con"),
    Function("read_sql_query", "read", "sql", 1, "con"),
    Function("read_sql_table", "read", "sql", 1, "con"),
    *_method("DataFrame", "path_or_buf", 1, to_csv="csv", to_json="json", to_hdf="hdf"),
    *_method("DataFrame", "path", 1, to_parquet="parquet", to_feather="feather"),
    *_method("DataFrame", "path", 1, to_pickle="pickle", to_orc="orc"),
    *_method("DataFrame", "path", 1, to_stata="stata"),
    *_method("DataFrame", "path_or_buffer", 1, to_xml="xml"),
    *_method("DataFrame", "excel_writer", 1, to_excel="excel"),
    *_method("DataFrame", "buf", 1, to_html="html"),
    *_method("DataFrame", "con", 2, to_sql="sql"),
]
_PARQUET = [
    *_read("parquet", "source", "read_table", "read_pandas"),
    *_read("parquet", "where", "read_metadata", "read_schema"),
    Function("ParquetFile.__init__", "read", "parquet", 1, "source"),
    Function("ParquetDataset.__init__", "read", "parquet", 1, "path_or_paths")._replace(
        takes_several=True
    ),
    Function("write_table", "write", "parquet", 1, "where"),
    Function("write_to_dataset", "write", "parquet", 1, "root_path"),
    Function("ParquetWriter.__init__", "write", "parquet", 1, "where"),
]
_POLARS = [
    *_read_several("csv", "source", "read_csv", "read_csv_batched", "scan_csv"),
    *_read_several("parquet", "source", "read_parquet", "scan_parquet"),
    *_read_several("parquet", "source", "read_parquet_schema", "read_parquet_metadata"),
    *_read_several("ipc", "source", "read_ipc", "read_ipc_stream", "read_ipc_schema"),
    *_read_several("ipc", "source", "scan_ipc"),
    *_read_several("json", "source", "read_json"),
    *_read_several("ndjson", "source", "read_ndjson", "scan_ndjson"),
    *_read_several("text", "source", "read_lines", "scan_lines"),
    *_read_several("avro", "source", "read_avro"),
    *_read_several("excel", "source", "read_excel"),
    *_read_several("ods", "source", "read_ods"),
    *_read_several("delta", "source", "read_delta", "scan_delta"),
    *_read_several("iceberg", "source", "scan_iceberg"),
    *_read_several("lance", "source", "scan_lance"),
    Function("read_database", "read", "sql", 1, "connection"),
    Function("read_database_uri", "read", "sql", 1, "uri"),
    *_method("DataFrame", "file", 1, write_csv="csv", write_parquet="parquet"),
    *_method("DataFrame", "file", 1, write_json="json", write_ndjson="ndjson"),
    *_method("DataFrame", "file", 1, write_ipc="ipc", write_ipc_stream="ipc"),
    *_method("DataFrame", "file", 1, write_avro="avro"),
    *_method("DataFrame", "workbook", 1, write_excel="excel"),
    *_method("DataFrame", "target", 1, write_delta="delta", write_iceberg="iceberg"),
    *_method("DataFrame", "connection", 2, write_database="sql"),
    *_method("LazyFrame", "path", 1, sink_csv="csv", sink_parquet="parquet"),
    *_method("LazyFrame", "path", 1, sink_ipc="ipc", sink_ndjson="ndjson"),
    *_method("LazyFrame", "target", 1, sink_delta="delta", sink_iceberg="iceberg"),
]
_NUMPY = [
    *_read("numpy", "file", "load"),
    *_read("text", "fname", "loadtxt", "genfromtxt"),
    *_read("text", "file", "fromregex"),
    *_read("binary", "file", "fromfile"),
    Function("memmap.__new__", BY_MODE, "binary", 1, "filename", 3, "r+"),
    Function("save", "write", "numpy", 0, "file"),
    Function("savez", "write", "numpy", 0, "file"),
    Function("savez_compressed", "write", "numpy", 0, "file"),
    Function("savetxt", "write", "text", 0, "fname"),
]

FUNCTIONS: Mapping[str, list[Function]] = {
    "pandas": _PANDAS,
    "pyarrow.parquet": _PARQUET,
    "pyarrow.csv": [
        *_read("csv", "input_file", "read_csv", "open_csv"),
        Function("write_csv", "write", "csv", 1, "output_file"),
    ],
    "pyarrow.json": _read("json", "input_file", "read_json", "open_json"),
    "pyarrow.feather": [
        *_read("feather", "source", "read_feather", "read_table"),
        Function("write_feather", "write", "feather", 1, "dest"),
    ],
    "pyarrow.orc": [
        *_read("orc", "source", "read_table"),
        Function("write_table", "write", "orc", 1, "where"),
    ],
    "pyarrow.dataset": [
        *_read_several("", "source", "dataset"),
        *_read("parquet", "metadata_path", "parquet_dataset"),
        Function("write_dataset", "write", "", 1, "base_dir"),
    ],
    "polars": _POLARS,
    "duckdb": [
        *_read_several("csv", "path_or_buffer", "read_csv", "from_csv_auto"),
        *_read_several("parquet", "path_or_buffer", "read_parquet", "from_parquet"),
        *_read_several("json", "path_or_buffer", "read_json"),
        Function("connect", "connect", "duckdb", 0, "database"),
    ],
    "numpy": _NUMPY,
    "fsspec": [
        Function("open", BY_MODE, "", 0, "urlpath", 1, "rb"),
        Function("open_files", BY_MODE, "", 0, "urlpath", 1, "rb", takes_several=True),
        Function("open_local", BY_MODE, "", 0, "url", 1, "rb", takes_several=True),
        Function("AbstractFileSystem.open", BY_MODE, "", 1, "path", 2, "rb"),
    ],
    "sqlite3": [Function("connect", "connect", "sqlite", 0, "database")],
    "sqlite3.dbapi2": [Function("connect", "connect", "sqlite", 0, "database")],
    # What a cell means by `open`.
    "IPython.core.interactiveshell": [
        Function("_modified_open", BY_MODE, "", 0, "file")
    ],
}
