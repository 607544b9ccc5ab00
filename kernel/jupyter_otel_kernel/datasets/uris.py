"""The name of a dataset as it may leave the kernel.

Without whoever opens it and what proves it: user, password, query and fragment of a URL
never get further than here. Where a name can be read in two ways, less of it is kept.
The server's rule for the paths of notebooks (`plain_path` there) is this one.
"""

from __future__ import annotations

import os
import re

MAX_CHARACTERS = 2048
_MAX_READ = 4096
"""Longer text is data that was handed over where a name could be."""

# Two letters or more: `C:` is a drive.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")
# fsspec writes one access through another so; an IPv6 address is no such thing.
_THROUGH = re.compile(r"::(?![^\[\]]*\])")
_HOST_AND_PORT = re.compile(r"(?:[^:]*|\[[0-9A-Fa-f:.]*\]):\d{1,5}")
_OPAQUE = re.compile(r"[\w.\-]*")
"""What may follow a scheme without ``//``; not ``scott/tiger`` after ``oracle:``."""
_CREDENTIALS = re.compile(
    r"(?i)(?:pwd|passw|passphrase|secret|token|(?:api|access|account)[ _-]?key)"
    r"\w{0,24}\s{0,8}="
    r"|=[^/=;\s]*[;\s][^/=]*="  # two of a driver's settings
)
_USER_AND_PASSWORD = re.compile(r"(?::|//)[^@]*@")
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
    if text[:1] == "/" and "@" not in text and ":" not in text and text.isprintable():
        return _absolute(text)[:MAX_CHARACTERS]
    if len(text) > _MAX_READ:
        return None
    database = _DATABASE_FILE.fullmatch(text.partition("?")[0])
    if database is not None:
        text = database[1]
    if text in _NOWHERE or _CONTROL.search(text) or text.lstrip().startswith(_MARKUP):
        return None
    if ":" not in text or (_SCHEME.match(text) is None and "::" not in text):
        told = _clean_path(text)
    else:
        told = _clean_chain(_THROUGH.split(text))
    return told and told[:MAX_CHARACTERS]


def is_local(uri: str) -> bool:
    """Return whether a cleaned name is a file's path."""
    return uri[:1] == "/" or _SCHEME.match(uri) is None


def _clean_chain(links: list[str]) -> str | None:
    """Return accesses one through another; None where it may be a password's ``::``."""
    told = [_clean_link(link) for link in links]
    if len(links) == 1:
        return told[0]
    halves = [link.partition("://")[2] for link in links if "@" not in link]
    may_be_one = len(halves) < len(links) and any(":" in half for half in halves)
    known = [link for link in told if link is not None and "@" not in link]
    return None if may_be_one or known != told else "::".join(known)


def _clean_link(link: str) -> str | None:
    scheme = _SCHEME.match(link)
    if scheme is None:
        return link if link.isidentifier() else _clean_path(link)
    name, rest = scheme[0].lower(), link[scheme.end() :]
    if name == "data:":  # the data itself
        return name
    if rest.startswith("//"):
        rest = _without_user(rest[2:])
    elif name != "file:":
        rest = _without_query(rest)
        return f"{name}{rest}" if _OPAQUE.fullmatch(rest) else None
    rest = _without_query(rest)
    if name == "file:":
        return _clean_path(rest.removeprefix("localhost")) if rest else name
    may_be_secret = _USER_AND_PASSWORD.search(rest) or _CREDENTIALS.search(rest)
    return f"{name}//" if may_be_secret else f"{name}//{rest}"


def _clean_path(text: str) -> str | None:
    """Return a file's path, None for what a database's driver is told."""
    is_file = text.startswith("/") and not text.startswith("//")
    may_be_user = _USER_AND_PASSWORD.search(text)
    if may_be_user and ("://" in text or not is_file):
        return None
    if not is_file and _CREDENTIALS.search(text):
        return None
    return _absolute(text)


def _without_query(rest: str) -> str:
    return re.split(r"[?#;]", rest, maxsplit=1)[0]


def _absolute(path: str) -> str:
    # A `Path` costs ten times as much, and resolving would look at the disk.
    if path.startswith("~"):
        path = os.path.expanduser(path)  # noqa: PTH111
    return os.path.abspath(path)  # noqa: PTH100


def _without_user(rest: str) -> str:
    """Return what follows the user info after ``//``; nothing where that is not sure.

    A password that is not quoted as it should be may hold the characters that end the
    host: what looks like one then goes up to the last ``@``.
    """
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest[authority.rindex("@") + 1 :]
    if ":" not in authority or "@" not in rest:
        return rest
    return "" if _HOST_AND_PORT.fullmatch(authority) else rest.rpartition("@")[2]
