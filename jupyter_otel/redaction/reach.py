"""How far the patterns of a schema's rules reach below a place.

Which rule wins is policy's business; here only whether any rule could have a say.
"""

from collections.abc import Collection, Iterable

from jupyter_otel.schema import PropertyPath


class Reach:
    """What is left of each pattern below a path."""

    def __init__(self, patterns: Iterable[PropertyPath]) -> None:
        self._patterns = frozenset(patterns)
        self._names = frozenset(name for path in self._patterns for name in path)

    def known(self, key: str) -> str:
        """Return the key if a pattern has that name, else ``*``.

        Keys that no pattern has are alike to every rule: what is worked out for one
        holds for all, however many keys the data brings.
        """
        return key if key in self._names else "*"

    def goes_below(self, path: PropertyPath, besides: Collection[str] = ()) -> bool:
        """Return whether a pattern names something below ``path``.

        A tail of nothing but ``**`` names nothing: it takes in the place itself too.
        Patterns that go on with a name in ``besides`` do not count.
        """
        return any(
            set(tail) - {"**"} and tail[0] not in besides for tail in self._tails(path)
        )

    def spells_out(self, path: PropertyPath) -> bool:
        """Return whether a pattern has the last name of ``path`` in that place."""
        tails = self._tails(path[:-1])
        return path[-1] != "*" and any(tail[:1] == path[-1:] for tail in tails)

    def _tails(self, path: PropertyPath) -> set[PropertyPath]:
        tails = _with_empty(self._patterns)
        for key in path:
            ahead = [
                tail if tail[0] == "**" else tail[1:]
                for tail in tails
                if tail and tail[0] in ("**", "*", key)
            ]
            tails = _with_empty(ahead)
        return tails


def _with_empty(tails: Iterable[PropertyPath]) -> set[PropertyPath]:
    """Add the tails in which a leading ``**`` stands for no name at all."""
    found: set[PropertyPath] = set()
    for tail in tails:
        found.add(tail)
        while tail[:1] == ("**",):
            tail = tail[1:]  # noqa: PLW2901 - peeled name by name
            found.add(tail)
    return found
