"""What each action does to one JSON value."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jupyter_otel.event import Person
from jupyter_otel.redaction.known_words import USER, KnownWords
from jupyter_otel.redaction.places import generalise_value
from jupyter_otel.redaction.scrub import HIDDEN, names_secret, scrub
from jupyter_otel.schema import Action, Category

MASK = "***"
TRUNCATE_CHARACTERS = 64

Redact = Callable[[Any], Any]
"""JSON value in, JSON value out; an exception drops the whole event."""


class Redactors:
    """The function of every action.

    Args:
        keyed_hash: Hashes a JSON value.
        known: Words that scrubbing hides wherever they stand.
    """

    def __init__(
        self, keyed_hash: Callable[[Any], str], known: KnownWords | None = None
    ) -> None:
        self._known = known
        self._by_action: Mapping[Action, Redact | None] = {
            Action.ALLOW: None,
            Action.MASK: mask,
            Action.HASH: keyed_hash,
            Action.TRUNCATE: truncate,
            Action.SCRUB: partial(scrub_value, known=known),
        }
        self._generalise = partial(generalise_value, scrub=partial(scrub, known=known))

    def of(self, action: Action, category: Category | None = None) -> Redact | None:
        """Return what an action does to a value of a category; None: leave it.

        ``drop`` has nothing to do: never ask for what it would be.
        """
        if action is Action.SCRUB and category is Category.LOCATION:
            return self._generalise
        return self._by_action.get(action)

    def meet(self, person: Person) -> None:
        """Hide a person's name in what is scrubbed from now on."""
        if self._known is not None and person.user_name is not None:
            self._known.add(person.user_name, USER)


def mask(_value: Any) -> str:
    """Return the mask, whatever the value: not even its length is told."""
    return MASK


def truncate(value: Any) -> Any:
    """Return the value with every text in it cut to 64 characters."""
    return _each_text(value, _cut)


def scrub_value(value: Any, known: KnownWords | None = None) -> Any:
    """Return the value with every text in it scrubbed, keys of objects included.

    What a key names a secret is hidden, whatever it looks like.
    """
    return _each_text(_hide_secrets(value), partial(scrub, known=known))


def _hide_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_hide_secrets(item) for item in value]
    if isinstance(value, dict):
        return {
            key: HIDDEN if names_secret(key) else _hide_secrets(item)
            for key, item in value.items()
        }
    return value


def _cut(text: str) -> str:
    return text[:TRUNCATE_CHARACTERS]


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key): _each_text(item, change) for key, item in value.items()}
    return value
