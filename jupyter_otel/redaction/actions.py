"""What each action does to one JSON value."""

from collections.abc import Callable, Mapping
from typing import Any

from jupyter_otel.redaction.scrub import HIDDEN, names_secret, scrub
from jupyter_otel.schema import Action

MASK = "***"
TRUNCATE_CHARACTERS = 64

Redact = Callable[[Any], Any]
"""JSON value in, JSON value out; an exception drops the whole event."""


def redactors(keyed_hash: Callable[[Any], str]) -> Mapping[Action, Redact | None]:
    """Return the function of every action but ``drop``; None: leave it as it is."""
    return {
        Action.ALLOW: None,
        Action.MASK: mask,
        Action.HASH: keyed_hash,
        Action.TRUNCATE: truncate,
        Action.SCRUB: scrub_value,
    }


def mask(_value: Any) -> str:
    """Return the mask, whatever the value: not even its length is told."""
    return MASK


def truncate(value: Any) -> Any:
    """Return the value with every text in it cut to 64 characters."""
    return _each_text(value, _cut)


def scrub_value(value: Any) -> Any:
    """Return the value with every text in it scrubbed, keys of objects included.

    What a key names a secret is hidden, whatever it looks like.
    """
    return _each_text(_hide_secrets(value), scrub)


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
