"""Puts a mixin of ours before a class of the host's, which stays as its base."""

from typing import Any


def derive(mixin: type, base: type, **names: Any) -> type:
    """Return a subclass of both, the mixin first, with these class attributes."""
    return type(
        f"Otel{base.__name__}", (mixin, base), {**names, "__doc__": base.__doc__}
    )
