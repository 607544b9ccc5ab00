"""What scrubbing does to a path or a URL: where roughly, and what kind of file.

::

    /home/ann/thesis/chapter-2/data/patients.csv  →  ~/thesis/chapter-2/…/*.csv
    https://ann:pw@gateway.example.org/user/ann?t=1  →  https://gateway.example.org/…
"""

import re
from collections.abc import Callable
from typing import Any

MOST_FOLDERS = 2
"""How many folders from the top are told, each of them scrubbed."""

_URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{0,31}://)(?:[^/?#]*@)?([^/?#]*)(.*)", re.DOTALL
)
_HOST = re.compile(r"[\w.-]{0,255}(?::\d{1,5})?|\[[\da-fA-F:.]{2,45}\](?::\d{1,5})?")
_HOME = re.compile(
    r"~[^/\\]*|(?:/[\w.-]{1,64})*/(?:home|Users)/[^/\\]+|/root(?=/|$)"
    r"|[A-Za-z]:\\{1,2}Users\\{1,2}[^/\\]+",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[/\\]+")
_EXTENSION = re.compile(r".+(\.[A-Za-z][A-Za-z0-9]{0,7})", re.DOTALL)


def generalise(place: str, scrub: Callable[[str], str]) -> str:
    """Return a path or URL without the names that are most likely somebody's."""
    url = _URL.fullmatch(place)
    if url is not None:
        scheme, host, rest = url.groups()
        shown = scrub(host) if _HOST.fullmatch(host) else "…"
        return f"{scheme}{shown}{'/…' if rest.strip('/') else rest}"
    home = _HOME.match(place)
    top, rest = ("~", place[home.end() :]) if home else ("", place)
    *folders, name = _SEPARATOR.split(rest)
    if home or rest[:1] in ("/", "\\"):
        folders = folders[1:]
    kept = [scrub(folder) for folder in folders[:MOST_FOLDERS]]
    if len(folders) > MOST_FOLDERS:
        kept.append("…")
    begin = [top] if home else [""] if rest[:1] in ("/", "\\") else []
    return "/".join([*begin, *kept, _kind(name)] if name else [*begin, *kept, ""])


def generalise_value(value: Any, scrub: Callable[[str], str]) -> Any:
    """Return a JSON value with every text in it, keys too, taken for a place."""
    if isinstance(value, str):
        return generalise(value, scrub)
    if isinstance(value, list):
        return [generalise_value(item, scrub) for item in value]
    if isinstance(value, dict):
        return {
            generalise(key, scrub): generalise_value(item, scrub)
            for key, item in value.items()
        }
    return value


def _kind(name: str) -> str:
    extension = _EXTENSION.fullmatch(name)
    return f"*{extension[1].lower()}" if extension else "*"
