"""Data with a canary in every property that a schema declares."""

from itertools import count

MOST_LEVELS = 6


class Canaries:
    """Makes data with a canary in every property, and keeps the path of each."""

    def __init__(self, schema):
        self.paths = {}
        self._numbers = count(1_000_003)
        self.data = self._value(schema.root, ())
        self.data["canary-undeclared"] = "canary-of-nobody"

    def _value(self, node, path):
        if len(path) < MOST_LEVELS and (node.properties or node.others):
            return self._object(node, path)
        if len(path) < MOST_LEVELS and node.items:
            return [self._value(node.items, (*path, "*"))]
        return self._scalar(node.types or {"string"}, path)

    def _object(self, node, path):
        found = {k: self._value(n, (*path, k)) for k, n in node.properties.items()}
        if node.others is not None:
            found["canary-key"] = self._value(node.others, (*path, "*"))
        return found

    def _scalar(self, types, path):
        if "string" in types:
            return self._text(path)
        if types & {"integer", "number"}:
            return self.paths.setdefault(path, next(self._numbers))
        if "object" in types:
            return {"canary-key": self._text((*path, "*"))}
        return [self._text((*path, "*"))] if "array" in types else True

    def _text(self, path):
        text = f"canary {next(self._numbers)} {' '.join(path)}"
        return self.paths.setdefault(path, text)
