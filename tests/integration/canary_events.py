"""Random schemas, overlays, policies and payloads: a canary is in all that they hide.

What has to be hidden is worked out here from the contract's words; no code of the
package is asked.
"""

import base64
from dataclasses import dataclass, field
from itertools import count

from hypothesis import strategies as st

SCHEMA_ID = "https://example.org/canaries/v1"
TEXT, ANY, WHOLE = {"type": "string"}, {}, {"type": "integer"}
SHOWN = ["ok", "still fine", ""]

ALWAYS_HIDDEN = ["content", "unclassified", "undeclared", "hash", "mask", "drop"]
HIDDEN = {
    "operational": [*ALWAYS_HIDDEN, "identity", "location", "free_text", "network"],
    "usage": [*ALWAYS_HIDDEN, "identity", "location", "free_text", "network"],
    "audit": [*ALWAYS_HIDDEN, "identity"],
}
ACTIONS = {"hash", "mask", "drop", "scrub", "truncate"}
PLACES = ["root", "object", "deep", "array", "map", "free", "free_map", "keys"]
SCRUBBED = [
    'password = "{}"',
    "mail {}@example.org now",
    "get https://ann:{}@example.org/x",
    "Authorization: Bearer {}",
    "api_key={}",
    "open /home/{}/data.csv",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    "ghp_{0}{0}{0}",
    "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44: {}",
    "p\u0430ssw\u200bord = {}",
    "client_secret: '{}'",
    "\u0430pi_k\u0435y: {}",
    "t\u043ek\u0435n = {}",
    "/h\u043eme/{}/x",
]


@dataclass
class Case:
    """One deployment and one event of it."""

    level: str
    identity: str
    code: str
    properties: dict = field(default_factory=dict)
    rules: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    secrets: list = field(default_factory=list)

    @property
    def schema(self):
        """Return the schema, which takes more than it declares."""
        return {
            "$id": SCHEMA_ID,
            "type": "object",
            "properties": self.properties,
            "additionalProperties": True,
        }

    @property
    def overlay(self):
        """Return an overlay file's content."""
        said = {
            "level": "operational",
            "properties": self.rules or {"x": "operational"},
            "span": {"duration_ms": "ms", "name": "work {shown}"},
            "severity": {"property": "shown", "values": {"ok": "WARN"}},
        }
        return {"schemas": {SCHEMA_ID: said}}

    def needles(self):
        """Return what must be found nowhere: secrets, halves of them, encoded ones."""
        for secret in self.secrets:
            first, second = halves(secret)
            yield from (first, second)
            yield from encoded(secret)


def halves(secret):
    return secret[:8], secret[8:]


def encoded(secret):
    raw = secret.encode()
    return (
        base64.b64encode(raw).decode().rstrip("="),
        raw.hex(),
        "".join(f"%{byte:02x}" for byte in raw),
        secret[::-1],
    )


class Maker:
    """Draws a case, property by property."""

    def __init__(self, draw):
        self._draw = draw
        self._numbers = count(1)
        level = draw(st.sampled_from(list(HIDDEN)))
        identity = draw(st.sampled_from(["none", "hash"]))
        self.case = Case(level, identity, draw(st.sampled_from(["none", "hash"])))

    def make(self):
        """Return the case, with some properties of every kind."""
        case = self.case
        case.properties |= {"shown": TEXT, "ms": WHOLE}
        case.rules |= {"shown": "operational", "ms": "operational"}
        case.data |= {"shown": self._draw(st.sampled_from(SHOWN)), "ms": 5}
        for number in range(self._draw(st.integers(1, 6))):
            self._add(f"p{number}")
        return case

    def _add(self, name):
        level = self.case.level
        kinds = [*HIDDEN[level], "code", *(["scrub"] if level == "audit" else [])]
        kind = self._draw(st.sampled_from(kinds))
        place = self._draw(st.sampled_from(PLACES))
        if kind == "undeclared":
            self._undeclared(name)
        elif kind == "scrub":
            self._put(name, place, TEXT, self._scrubbed, {"action": "scrub"})
        elif kind == "unclassified":
            self._put(
                name, place, self._draw(st.sampled_from([TEXT, ANY])), self._any, None
            )
        else:
            declared = self._draw(st.sampled_from([TEXT, ANY]))
            self._put(name, place, declared, self._any, rule_of(kind))

    def _undeclared(self, name):
        self.case.data[name] = self._any(ANY)
        self.case.data[f"{name} {self._secret()}"] = self._any(ANY)
        self.case.properties["o"] = {"type": "object", "properties": {"in": TEXT}}
        self.case.data["o"] = {self._secret(): self._any(ANY)}

    def _put(self, name, place, declared, make, rule):
        """Declare a property at a kind of place, put a rule and a value there."""
        schema, path, value = WRAPPED[place](name, declared)
        if place == "keys":
            self.case.rules[f"{name}.*.ok"] = "operational"
        if place == "array" and self._draw(st.booleans()):
            self.case.rules[f"{name}.*"] = "operational"  # allows nothing undeclared
        self.case.properties[name] = schema
        if rule is not None:
            self.case.rules[path] = rule
        # Keys of a map go with their values; a scrubbed one is text like any other.
        scrubs = make == self._scrubbed and place != "keys"
        key = (lambda: make(declared)) if scrubs else self._secret
        made = value(lambda: make(declared), key)
        self.case.data[name] = made
        for item in made if place == "array" else []:
            item[self._secret()] = self._any(ANY)

    def _secret(self):
        number = next(self._numbers)
        secret = f"Zq{number:06d}Xv{number * 7919 % 10**6:06d}Kj"
        self.case.secrets.append(secret)
        return secret

    def _scrubbed(self, _declared):
        return self._draw(st.sampled_from(SCRUBBED)).format(self._secret())

    def _any(self, declared):
        if declared is TEXT:
            return self._text()
        shapes = ["text", "list", "object", "split", "deep"]
        shape = self._draw(st.sampled_from(shapes))
        return {
            "text": self._text,
            "list": lambda: [self._text(), {self._secret(): [self._text()]}],
            "object": lambda: {self._secret(): self._text(), "n": {"k": self._text()}},
            "split": lambda: list(halves(self._secret())),
            "deep": lambda: {"a": [[{"b": {"c": [self._text()]}}]]},
        }[shape]()

    def _text(self):
        secret = self._secret()
        forms = [secret, f"so {secret} it is", f"{secret}\ud800", *encoded(secret)]
        return self._draw(st.sampled_from(forms))


def rule_of(kind):
    """Return an overlay's rule for a kind of property."""
    if kind == "code":
        return {"category": "content", "code": True}
    if kind in ACTIONS:
        return {"category": "operational", "action": kind}
    return kind


def obj(properties):
    return {"type": "object", "properties": properties}


WRAPPED = {
    "root": lambda n, d: (d, n, lambda make, _: make()),
    "object": lambda n, d: (obj({"v": d}), f"{n}.v", lambda make, _: {"v": make()}),
    "deep": lambda n, d: (
        obj({"a": obj({"b": obj({"v": d})})}),
        f"{n}.a.*.v",
        lambda make, _: {"a": {"b": {"v": make()}}},
    ),
    "array": lambda n, d: (
        {"type": "array", "items": obj({"v": d, "w": WHOLE})},
        f"{n}.*.v",
        lambda make, _: [{"v": make(), "w": 1}, {"v": make()}],
    ),
    "map": lambda n, d: (
        {"type": "object", "additionalProperties": obj({"v": d})},
        f"{n}.**",
        lambda make, _: {"key": {"v": make()}},
    ),
    "free": lambda n, _: (
        ANY,
        f"{n}.**",
        lambda make, key: {"a": [make()], "b": make()},
    ),
    "keys": lambda n, d: (
        {"type": "object", "additionalProperties": obj({"ok": TEXT, "v": d})},
        f"{n}.*.v",
        lambda make, key: {key(): {"ok": "fine", "v": make()}},
    ),
    "free_map": lambda n, d: (
        {"type": "object", "additionalProperties": d},
        n,
        lambda make, key: {key(): make(), key(): make()},
    ),
}
"""By place: what is declared, the path of the rule, how a value is wrapped."""


@st.composite
def cases(draw):
    """A deployment and an event, with canaries in all that it must hide."""
    return Maker(draw).make()
