"""What this process knows to be a secret or a person: hidden whatever it looks like.

The account that it runs as, its home, tokens in its environment, the people it met.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

USER, TOKEN, HOME = "user", "token", "home"
"""What a word is, and what stands in its place, in brackets."""

_SHORTEST = {USER: 3, TOKEN: 8, HOME: 4}
"""Shorter ones would be found within words that mean nothing."""
_MOST = 4096

_TOKENS = re.compile(
    r"(?:JUPYTER|JUPYTERHUB|JPY|OTEL)_\w*(?:TOKEN|PASSWORD|SECRET|KEY)$"
    r"|(?:TOKEN|PASSWORD|PASSWD|SECRET|API_KEY|ACCESS_KEY)$"
)
"""Names of environment variables whose values are secrets."""
_ACCOUNTS = ("USER", "LOGNAME", "JUPYTERHUB_USER", "NB_USER")
_SHARED_ACCOUNTS = frozenset(
    {"admin", "jovyan", "jupyter", "nobody", "root", "server", "test", "user", "users"}
)
"""Accounts that are nobody's in particular, and words that texts are full of."""


class KnownWords:
    """Words to hide, found by one pattern that is made anew when one is added.

    Adding is rare; two threads that add at once may cost one pattern, no word.
    """

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._is_stale = False

    @classmethod
    def of_process(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return what a process knows by its environment."""
        known = cls()
        for kind, word in _of_environment(environ):
            known.add(word, kind)
        return known

    def add(self, word: str, kind: str = TOKEN) -> None:
        """Hide a word from now on, in any case for a person, exactly for a secret."""
        known = word.casefold() if kind == USER else word
        if known in self._words or len(known) < _SHORTEST[kind]:
            return
        if kind == USER and known in _SHARED_ACCOUNTS:
            return
        if len(self._words) < _MOST:
            self._words[known] = kind
            self._is_stale = True

    def pattern(self) -> re.Pattern[str] | None:
        """Return what finds the words; None while there are none."""
        if self._is_stale:
            self._is_stale = False
            # The longest first: of two that begin alike it hides more.
            words = sorted(self._words.items(), key=lambda item: -len(item[0]))
            self._pattern = re.compile(
                "|".join(map(_sought, *zip(*words, strict=True)))
            )
        return self._pattern

    def kind(self, found: str) -> str:
        """Return what a word is that the pattern found."""
        return self._words.get(found) or self._words.get(found.casefold(), USER)


def _sought(word: str, kind: str) -> str:
    escaped = re.escape(word)
    if kind == USER:
        # Not within another word: a person may be called `man`.
        return rf"(?<![^\W_])(?i:{escaped})(?![^\W_])"
    return rf"{escaped}(?![^\W_])" if kind == HOME else escaped


def _of_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if _TOKENS.search(name):
            yield TOKEN, value.strip()
    for name in _ACCOUNTS:
        yield USER, environ.get(name, "")
    home = environ.get("HOME", "")
    # `/` and `/root` say nothing of a person.
    if len(Path(home).parts) > 2:  # noqa: PLR2004 - the root and one name below it
        yield HOME, home.rstrip("/")
