"""Takes out of free text what looks like a secret or a person.

Patterns find shapes, not meanings: scrubbing lowers a risk, dropping removes it.
That is why no level but `audit` lets scrubbed text leave.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from jupyter_otel.redaction.known_words import KnownWords
from jupyter_otel.redaction.look_alikes import plain, visible
from jupyter_otel.redaction.token_shapes import TOKENS

_ENTROPY_BITS = 4.0
"""Bits a character from which a long word counts as random (base64 has up to 6)."""


class Scrubber(NamedTuple):
    """One shape and the word that stands in its place."""

    name: str
    expression: str
    keep: Callable[[str], bool] | None = None
    """Whether a match is harmless after all."""
    hints: tuple[str, ...] = ("",)
    """In lower case: without any of them in a text there is no match."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The expression, compiled when a text is first scrubbed."""
        return _compiled(self.expression)


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def _is_plain_word(text: str) -> bool:
    counts = Counter(text)
    total = len(text)
    entropy = -sum(n / total * math.log2(n / total) for n in counts.values())
    has_digit = any(character.isdigit() for character in text)
    return entropy < _ENTROPY_BITS or not has_digit


_CREDENTIAL = (
    r"(?:passw(?:or)?d|passwd|pwd|(?<![a-z])pass|passphrase|secret|token|credentials?|auth"
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
_SAID = (
    r"\b(?:passw(?:or)?d|passphrase|token|secret|key)\b[\"']?\s{1,8}(?:is|was|will be)"
    r"\s{1,8}[\"']?(?=[^\s\"']{0,64}\d)[^\s\"',;&)]{3,512}"
)
"""In a sentence; only what has a digit in it, for `the token is expired`."""
_OPTION = r"(?<![\w-])(?:-u|--user)[ =][\"']?[^\s:\"']{1,64}:[^\s\"']{1,256}"
_COOKIE = r"\b(?:set-)?cookie[\\\"'\])]{0,6}\s{0,8}[:=][^\r\n]+"

_NAMES_SECRET = (
    rf"(?i)(?:{_CREDENTIAL}|cookies?)$|passw(?:or)?d|secret|passphrase|credential"
    r"|(?:private|api)[_-]?key"
)

_NAME = r"[^\s/\\\"':,;)]"
_HOME = (
    r"(?:/home/|/Users/|/root\b|[A-Za-z]:\\{1,2}Users\\{1,2})"
    rf"(?:{_NAME}{{1,64}}(?: {_NAME}{{1,64}}){{1,3}}(?=[/\\])|{_NAME}{{0,255}})"
    r"|(?<![\w~])~[A-Za-z_][\w.-]{0,63}(?=/)"
)
"""A name with blanks in it is known by the slash that follows."""

SCRUBBERS: tuple[Scrubber, ...] = (
    Scrubber(
        "private_key",
        r"(?s)-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
        r"(?:.*?-----END [A-Z ]{0,30}PRIVATE KEY-----|.*)",
        hints=("-----begin",),
    ),
    Scrubber(
        "url_credentials",
        r"(?<=://)[^\s/@:]{0,256}:[^\s/]{1,256}(?=@)",
        hints=("://",),
    ),
    Scrubber(
        "jwt",
        r"(?<![\w-])eyJ[\w-]{8,4096}\.[\w-]{8,8192}(?:\.[\w-]{0,4096})?",
        hints=("eyj",),
    ),
    Scrubber("token", TOKENS),
    Scrubber(
        "secret",
        rf"(?is){_COOKIE}|{_ASSIGNED}|{_TOLD}|{_SAID}|{_OPTION}",
        hints=(
            "pass",
            "pwd",
            "secret",
            "token",
            "cred",
            "auth",
            "key",
            "cookie",
            "bearer",
            "-u",
        ),
    ),
    Scrubber(
        "email",
        r"[\w.+-][\w.%+-]{0,63}(?:@|%40|&#64;|\\u0040)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}",
        hints=("@", "%40", "&#64;", "\\u0040"),
    ),
    Scrubber(
        "ip",
        r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"
        r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4}){1,6}(?![\w:])"
        r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){1,6}:(?:[0-9a-fA-F]{1,4}:?){0,6}(?!\w)",
    ),
    Scrubber("home", _HOME, hints=("home", "users", "/root", "~")),
    Scrubber("random", r"(?<![\w-])[0-9a-fA-F]{32,4096}(?![\w-])"),
    Scrubber("random", r"\b[\w+/=-]{24,4096}", keep=_is_plain_word),
)
"""In the order they are tried; each match becomes ``[<name>]``."""


HIDDEN = "[secret]"
"""Stands in place of a value whose key names a secret."""


def names_secret(key: str) -> bool:
    """Return whether what a key holds is a secret, by its name."""
    return _compiled(_NAMES_SECRET).search(key) is not None


def scrub(text: str, known: KnownWords | None = None) -> str:
    """Return ``text`` with what any scrubber knows replaced by its name in brackets.

    What hides nothing comes back as it is; else the text is in compatibility form, and
    without what cannot be seen.

    Args:
        text: To be scrubbed.
        known: Words that are hidden wherever they stand.
    """
    if text.isascii():
        return _scrub_seen(text, text, known)
    seen = visible(text)
    scrubbed = _scrub_seen(seen, plain(seen), known)
    return text if scrubbed == seen else scrubbed


def _scrub_seen(text: str, sought: str, known: KnownWords | None) -> str:
    """Return ``text`` without what is found in ``sought``, its plain form.

    Both are as long as each other, before and after each scrubber.
    """
    words = None if known is None else known.pattern()
    if known is not None and words is not None:
        named = partial(_name_word, known)
        text, sought = _hide(text, sought, words, named)
    lower = sought.lower()
    for scrubber in SCRUBBERS:
        if not any(hint in lower for hint in scrubber.hints):
            continue
        named = partial(_name_shape, scrubber)
        text, sought = _hide(text, sought, scrubber.pattern, named)
    return text


def _name_word(known: KnownWords, found: str) -> str | None:
    return f"[{known.kind(found)}]"


def _name_shape(scrubber: Scrubber, found: str) -> str | None:
    if scrubber.keep is not None and scrubber.keep(found):
        return None
    return f"[{scrubber.name}]"


def _hide(
    text: str,
    sought: str,
    pattern: re.Pattern[str],
    named: Callable[[str], str | None],
) -> tuple[str, str]:
    """Put a name in place of each match, in the text and in what is searched."""
    is_plain = text is sought
    shown: list[str] = []
    searched: list[str] = []
    end = 0
    for match in pattern.finditer(sought):
        name = named(match[0])
        if name is None:
            continue
        shown += (text[end : match.start()], name)
        searched += (sought[end : match.start()], name)
        end = match.end()
    if not shown:
        return text, sought
    hidden = "".join((*shown, text[end:]))
    return hidden, hidden if is_plain else "".join((*searched, sought[end:]))
