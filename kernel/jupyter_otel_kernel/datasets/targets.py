"""From the argument that a function was given to the datasets that it names.

Of objects that are not Python's own as little as can be is asked: where a name would
take running their code, the access is not recorded.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from jupyter_otel_kernel.datasets.functions import BY_MODE, Function
from jupyter_otel_kernel.datasets.uris import MAX_CHARACTERS, clean

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+://")
_WRITING = frozenset("wax+")
_READ_ONLY = frozenset({"r", "c", "readonly", "copyonwrite"})
"""What numpy calls the ways to map a file that leave it alone."""


def operation_of(function: Function, args: Any, kwargs: Any) -> str:
    """Return how the data was opened: ``read``, ``write`` or ``connect``."""
    if function.operation != BY_MODE:
        return function.operation
    mode = _argument(args, kwargs, function.mode_position, "mode") or function.mode
    if mode in _READ_ONLY or not isinstance(mode, str):
        return "read"
    return "read" if _WRITING.isdisjoint(mode) else "write"


def names_of(function: Function, library: str, args: Any, kwargs: Any) -> Iterable[str]:
    """Return the name of each dataset of a call, a relative path made absolute.

    A database whose name cannot be told from what proves who may open it, is told by
    the library's.
    """
    target = _argument(args, kwargs, function.position, function.keyword)
    if type(target) is str and target[:1] == "/" and len(target) <= MAX_CHARACTERS:
        return (target,)  # most are; a loop over many files is the faster for it
    return _names(function, library, args, target)


def _names(function: Function, library: str, args: Any, target: Any) -> Iterator[str]:
    if function.name == "AbstractFileSystem.open" and isinstance(target, str):
        target = _in_file_system(args[0] if args else None, target)
    is_list = function.takes_several and type(target) in (list, tuple)
    for item in target if is_list else (target,):
        name = name_of(item)
        if function.format == "sql":
            name = _connection(item, library)
        elif function.operation == "connect" and name and ":memory:" not in name:
            name = clean(name) or f"{library}:"
        # Now, because code may change its folder before it is reported; and because
        # what is so long is not to be kept.
        if name is not None and (
            not name.startswith("/") or len(name) > MAX_CHARACTERS
        ):
            name = clean(name)
        if name is not None:
            yield name


def name_of(target: Any) -> str | None:
    """Return the name of what is opened as it was written, None where it has none."""
    if isinstance(target, str):
        return str.__str__(target)
    if isinstance(target, os.PathLike):
        target = os.fspath(target)
    elif isinstance(target, io.IOBase):
        target = getattr(target, "name", None)  # a number, where it is no file
    elif _library(target) == "fsspec":
        target = getattr(target, "full_name", None)
    elif _library(target) == "pandas":  # ExcelFile, ExcelWriter
        target = getattr(target, "_io", None) or getattr(target, "_path", None)
    if isinstance(target, os.PathLike):
        target = os.fspath(target)
    # bytes may be the data itself: polars takes them so.
    return target if isinstance(target, str) else None


def _argument(args: Any, kwargs: Any, position: int, keyword: str) -> Any:
    return args[position] if len(args) > position else kwargs.get(keyword)


def _in_file_system(file_system: Any, path: str) -> str:
    """Return the path with its file system's protocol, where that is not local."""
    protocol = getattr(type(file_system), "protocol", None)
    if type(protocol) in (list, tuple) and protocol:
        protocol = protocol[0]
    if not isinstance(protocol, str) or protocol in ("file", "local", "abstract"):
        return path
    return path if "://" in path else f"{protocol}://{path.lstrip('/')}"


def _connection(target: Any, library: str) -> str | None:
    """Return which database a connection goes to, as far as it is known by itself."""
    if target is None:
        return None
    if isinstance(target, str):  # drivers take their own kinds of text, passwords in it
        return str.__str__(target) if _URL.match(target) else f"{library}:"
    library = _library(target)
    if library != "sqlalchemy":
        return f"{library}:" if library else None
    url = getattr(getattr(target, "engine", target), "url", None)
    return None if url is None else url.render_as_string(hide_password=True)


def _library(target: Any) -> str:
    """Return the name of the imported package that a value's class is from."""
    package = str(type(target).__module__).partition(".")[0].lstrip("_")
    return package if package in sys.modules else ""
