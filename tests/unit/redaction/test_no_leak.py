"""Whatever the schema, the rules and the data: nothing that rules hide leaves raw.

Every text in the data is a canary that tells its own path. What must not leave is
worked out from the words of the contract alone, by an oracle that shares no code with
the package.
"""

import json
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

STRICTNESS = ["allow", "hash", "mask", "drop"]
NAMES = st.sampled_from(["a", "b", "c"])
TEXT = {"type": "string"}


def obj(properties):
    return {"type": "object", "properties": properties}


def array(items):
    return {"type": "array", "items": items}


def map_of(values):
    return {"type": "object", "additionalProperties": values}


def mixed(made):
    properties, others = made
    return obj(properties) | {"patternProperties": {".*": others}}


def or_array(properties):
    return {"anyOf": [obj(properties), array(obj(properties))]}


def or_text(properties):
    return {"anyOf": [TEXT, obj(properties)]}


def larger(inner):
    properties = st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    return st.one_of(
        properties.map(obj),
        inner.map(array),
        inner.map(map_of),
        st.tuples(properties, inner).map(mixed),
        properties.map(or_array),
        properties.map(or_text),
    )


FREE = st.sampled_from([{"type": "object"}, {}, array({})])
SCHEMAS = st.recursive(st.one_of(st.just(TEXT), FREE), larger, max_leaves=8)
ACTIONS = st.sampled_from(STRICTNESS)


class Canaries:
    """Draws data for a schema and keeps the path of every text in it."""

    def __init__(self, draw):
        self.paths = {}
        self.undeclared = set()
        self._draw = draw
        self._numbers = count()

    def value(self, schema, path):
        """Return a value for a schema."""
        if "anyOf" in schema:
            schema = self._draw(st.sampled_from(schema["anyOf"]))
        if schema.get("type") == "string":
            return self._text(path)
        if schema.get("type") == "array":
            return self._items(schema["items"], path)
        if "properties" in schema:
            return self._named(schema, path)
        if "additionalProperties" in schema:
            return self._entries(schema["additionalProperties"], path)
        return self._free(schema, path)

    def _text(self, path):
        canary = f"<{next(self._numbers)}:{'.'.join(path)}>"
        self.paths[canary] = path
        return canary

    def _items(self, items, path):
        return [self.value(items, (*path, "*")) for _ in range(self._draw_number())]

    def _entries(self, values, path):
        keys = self._draw(st.lists(st.sampled_from(["a", "b", "k"]), unique=True))
        return {key: self.value(values, (*path, key)) for key in keys}

    def _named(self, schema, path):
        found = {
            key: self.value(inner, (*path, key))
            for key, inner in schema["properties"].items()
        }
        if "patternProperties" in schema:
            inner = schema["patternProperties"][".*"]
            return {"k": self.value(inner, (*path, "k"))} | found
        found["zz"] = self._text((*path, "zz"))
        self.undeclared.add(found["zz"])
        return found

    def _free(self, schema, path):
        if len(path) > 4 or (schema == {} and self._draw(st.booleans())):
            return self._text(path) if schema == {} else {}
        if schema == {} and self._draw(st.booleans()):
            return self._items({}, path)
        return self._entries({}, path)

    def _draw_number(self):
        return self._draw(st.integers(0, 2))


@st.composite
def patterns(draw, paths):
    """A pattern near one of the paths, so that rules meet and contradict."""
    path = draw(st.sampled_from(sorted(paths)))
    end = draw(st.integers(1, len(path)))
    kept = draw(st.lists(st.sampled_from(["name", "name", "*", "**"]), min_size=end))
    parts = [
        name if part == "name" else part
        for name, part in zip(path[:end], kept, strict=False)
    ]
    return ".".join(parts)


def matches(path, pattern):
    if not pattern:
        return not path
    if pattern[0] == "**":
        return matches(path, pattern[1:]) or (bool(path) and matches(path[1:], pattern))
    same = bool(path) and pattern[0] in ("*", path[0])
    return same and matches(path[1:], pattern[1:])


def best(path, rules):
    """Fewest ``**``, then fewest ``*``, then the stricter action."""
    found = [
        (parts.count("**"), parts.count("*"), -STRICTNESS.index(action), action)
        for parts, action in ((tuple(key.split(".")), a) for key, a in rules.items())
        if matches(path, parts)
    ]
    return min(found)[3] if found else None


def must_hide(path, rules):
    """A value goes by its own rule, else by the nearest above it, else it is hidden."""
    for end in range(len(path), 0, -1):
        action = best(path[:end], rules)
        if action is not None:
            return action != "allow"
    return True


def may_only_leave(path, rules):
    """Its own rule allows it and none above hides it."""
    above = {best(path[:end], rules) for end in range(1, len(path))}
    return best(path, rules) == "allow" and above <= {"allow", None}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.dictionaries(NAMES, SCHEMAS, min_size=1, max_size=2))
def test_what_rules_hide_never_leaves_raw_and_what_they_allow_does(
    redact, data, properties
):
    canaries = Canaries(data.draw)
    payload = canaries.value(obj(properties), ())
    near = patterns(set(canaries.paths.values()))
    rules = data.draw(st.dictionaries(near, ACTIONS, min_size=2, max_size=4))
    overlay = {key: {"action": action} for key, action in rules.items()}

    left = json.dumps(redact(properties, overlay, payload).values)

    for canary, path in canaries.paths.items():
        if canary in canaries.undeclared or must_hide(path, rules):
            assert canary not in left
        elif may_only_leave(path, rules):
            assert canary in left
