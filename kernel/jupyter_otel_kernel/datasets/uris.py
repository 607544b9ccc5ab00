"""The name of a dataset as it may leave the kernel.

Without whoever opens it and what proves it: user, password, query and fragment of a URL
never get further than here. Where a name can be read in two ways, less of it is kept.
"""

from __future__ import annotations

import os
import re

MAX_CHARACTERS = 2048

# Two letters or more: `C:` is a drive.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")
# fsspec writes one access through another so; an IPv6 address is no such thing.
_THROUGH = re.compile(r"::(?![^\[\]]*\])")
_HOST_AND_PORT = re.compile(r"[^:]*:\d{1,5}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MARKUP = ("{", "[", "<")
"""So begins data itself, handed over where a name could be: JSON, HTML, XML."""
_NOWHERE = frozenset({"", ":memory:", ":default:"})
_DATABASE_FILE = re.compile(r"(?:sqlite|duckdb)(?:\+\w+)?:///(.*)")
"""SQLAlchemy's URL of a database that is a file."""


def clean(text: str) -> str | None:
    """Return what may leave of the name of a dataset; None where it names none.

    A file is told by its absolute path, everything else as a URL.
    """
    # So are most, and need no closer look.
    if text[:1] == "/" and ":" not in text and text.isprintable():
        return _absolute(text)[:MAX_CHARACTERS]
    database = _DATABASE_FILE.fullmatch(text.partition("?")[0])
    if database is not None:
        text = database[1]
    if text in _NOWHERE or _CONTROL.search(text) or text.lstrip().startswith(_MARKUP):
        return None
    if ":" not in text or (_SCHEME.match(text) is None and "::" not in text):
        return _absolute(text)[:MAX_CHARACTERS]
    links = [_clean_link(link) for link in _THROUGH.split(text)]
    return "::".join(links)[:MAX_CHARACTERS]


def is_local(uri: str) -> bool:
    """Return whether a cleaned name is a file's path."""
    return uri[:1] == "/" or _SCHEME.match(uri) is None


def _clean_link(link: str) -> str:
    scheme = _SCHEME.match(link)
    if scheme is None:
        return link if link.isidentifier() else _absolute(link)
    name, rest = scheme[0].lower(), link[scheme.end() :]
    if name == "data:":  # the data itself
        return name
    slashes = "//" if rest.startswith("//") else ""
    rest = rest[len(slashes) :]
    if slashes:
        rest = _without_user(rest)
    rest = re.split(r"[?#;]", rest, maxsplit=1)[0]
    if name == "file:":
        return _absolute(rest.removeprefix("localhost")) if rest else name
    return f"{name}{slashes}{rest}"


def _absolute(path: str) -> str:
    # A `Path` costs ten times as much, and resolving would look at the disk.
    if path.startswith("~"):
        path = os.path.expanduser(path)  # noqa: PTH111
    return os.path.abspath(path)  # noqa: PTH100


def _without_user(rest: str) -> str:
    """Return what follows the user info after ``//``.

    A password that is not quoted as it should be may hold the characters that end the
    host: what looks like one then goes up to the last ``@``.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest[authority.rindex("@") + 1 :]
    if ":" in authority and "@" in rest and not _HOST_AND_PORT.fullmatch(authority):
        return rest.rpartition("@")[2]
    return rest
