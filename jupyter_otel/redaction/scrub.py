"""Takes out of free text what looks like a secret or a person.

Patterns find shapes, not meanings: scrubbing lowers a risk, dropping removes it.
That is why no level but `audit` lets scrubbed text leave.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

_ENTROPY_BITS = 4.0
"""Bits a character from which a long word counts as random (base64 has up to 6)."""


class Scrubber(NamedTuple):
    """One shape and the word that stands in its place."""

    name: str
    pattern: re.Pattern[str]
    keep: Callable[[str], bool] | None = None
    """Whether a match is harmless after all."""


def _is_plain_word(text: str) -> bool:
    counts = Counter(text)
    total = len(text)
    entropy = -sum(n / total * math.log2(n / total) for n in counts.values())
    has_digit = any(character.isdigit() for character in text)
    return entropy < _ENTROPY_BITS or not has_digit


_CREDENTIAL = (
    r"(?:passw(?:or)?d|passwd|pwd|passphrase|secret|token|credentials?|auth"
    r"|authorization|(?:api|access|private|secret|auth)[_-]?key)"
    r"(?:[_-]?(?:key|value|\d{1,3}))?"
)
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?"
_QUOTED_INSIDE = r"\\+\"[^\"]*\"?|\\+'[^']*'?"
"""Within text that was quoted itself: backslashes before each quote."""
_BARE = r"(?:bearer |basic |token )?[^\s\"',;&)]+"

_ASSIGNED = (
    rf"{_CREDENTIAL}[\\\"'\])]{{0,6}}\s{{0,8}}"
    r"(?::[\w.|\[\] ]{0,40}=|[:=]={0,2}>?)\s{0,8}"
    rf"(?:{_QUOTED}|{_QUOTED_INSIDE}|{_BARE})"
)
"""A name with the word in it, at its end, and what it is set to."""
_TOLD = (
    r"\b(?:authorization|bearer|passw(?:or)?d|passwd|pwd|passphrase|secret|token"
    r"|api[_-]?key|access[_-]?key|credentials?)\b[\"']?\s{1,8}"
    r"(?:bearer |basic |token )?[\"']?[^\s\"',;&)]{3,512}"
)
_COOKIE = r"\b(?:set-)?cookie[\\\"'\])]{0,6}\s{0,8}[:=][^\r\n]+"

_NAMES_SECRET = re.compile(
    rf"(?i)(?:{_CREDENTIAL}|cookies?)$|passw(?:or)?d|secret|passphrase|credential"
    r"|(?:private|api)[_-]?key"
)

_NAME = r"[^\s/\\\"':,;)]"
_HOME = (
    r"(?:/home/|/Users/|/root\b|[A-Za-z]:\\{1,2}Users\\{1,2})"
    rf"(?:{_NAME}{{1,64}}(?: {_NAME}{{1,64}}){{1,3}}(?=[/\\])|{_NAME}{{0,255}})"
)
"""A name with blanks in it is known by the slash that follows."""

SCRUBBERS: tuple[Scrubber, ...] = (
    Scrubber(
        "private_key",
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
            r"(?:.*?-----END [A-Z ]{0,30}PRIVATE KEY-----|.*)",
            re.DOTALL,
        ),
    ),
    Scrubber(
        "url_credentials", re.compile(r"(?<=://)[^\s/@:]{0,256}:[^\s/]{1,256}(?=@)")
    ),
    Scrubber(
        "jwt",
        re.compile(r"(?<![\w-])eyJ[\w-]{8,4096}\.[\w-]{8,8192}(?:\.[\w-]{0,4096})?"),
    ),
    Scrubber(
        "token",
        re.compile(
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
            r"|\bgh[pousr]_\w{20,255}|\bgithub_pat_\w{20,255}|\bglpat-[\w-]{16,255}"
            r"|\bxox[abposr]-[\w-]{10,255}|\bsk-(?:ant-[\w-]{4,255}|[\w-]{16,255})|\bhf_\w{20,255}"
            r"|\bpypi-[\w-]{16,255}|\bnpm_\w{20,255}|\bAIza[\w-]{30,255}"
        ),
    ),
    Scrubber(
        "secret",
        re.compile(rf"(?is){_COOKIE}|{_ASSIGNED}|{_TOLD}"),
    ),
    Scrubber(
        "email",
        re.compile(r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    ),
    Scrubber(
        "ip",
        re.compile(
            r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"
            r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4}){1,6}(?![\w:])"
            r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){1,6}:(?:[0-9a-fA-F]{1,4}:?){0,6}(?!\w)"
        ),
    ),
    Scrubber("home", re.compile(_HOME)),
    Scrubber("random", re.compile(r"\b[\w+/=-]{24,4096}"), keep=_is_plain_word),
)
"""In the order they are tried; each match becomes ``[<name>]``."""


HIDDEN = "[secret]"
"""Stands in place of a value whose key names a secret."""


def names_secret(key: str) -> bool:
    """Return whether what a key holds is a secret, by its name."""
    return _NAMES_SECRET.search(key) is not None


def scrub(text: str) -> str:
    """Return ``text`` with what any scrubber knows replaced by its name in brackets."""
    for scrubber in SCRUBBERS:
        text = _scrub_one(text, scrubber)
    return text


def _scrub_one(text: str, scrubber: Scrubber) -> str:
    def replace(match: re.Match[str]) -> str:
        if scrubber.keep is not None and scrubber.keep(match[0]):
            return match[0]
        return f"[{scrubber.name}]"

    return scrubber.pattern.sub(replace, text)
