"""Patterns of overlays and settings: globs of schema ids, paths of properties."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from jupyter_otel.schema import PropertyPath, PropertyRule


def matches_id(schema_id: str, globs: Iterable[str]) -> bool:
    """Return whether any glob takes in the id; an equal text always does."""
    return any(glob == schema_id or fnmatchcase(schema_id, glob) for glob in globs)


def matches_path(path: PropertyPath, pattern: PropertyPath) -> bool:
    """Return whether a pattern takes in a whole path.

    ``*`` stands for one name, key or item, ``**`` for any number, none included.
    """
    if not pattern:
        return not path
    head, rest = pattern[0], pattern[1:]
    if head == "**":
        return any(matches_path(path[cut:], rest) for cut in range(len(path) + 1))
    if not path or head not in ("*", path[0]):
        return False
    return matches_path(path[1:], rest)


def vagueness(rule: PropertyRule) -> tuple[int, int]:
    """Return what orders rules for one path: number of ``**``, then of ``*``."""
    return rule.pattern.count("**"), rule.pattern.count("*")


def names_below(pattern: PropertyPath, place: PropertyPath, max_depths: int) -> bool:
    """Return whether a pattern goes on below ``place`` by name.

    ``user.name``, ``user.*`` and ``user.**.name`` do below ``user``; ``user.**`` does
    not. To get there it may use at most ``max_depths`` times ``**``: what is said of
    ``**.name`` was not said with ``user`` in mind.
    """
    return any(
        set(pattern[cut:]) - {"**"}
        and pattern[:cut].count("**") <= max_depths
        and matches_path(place, pattern[:cut])
        for cut in range(len(pattern))
    )
