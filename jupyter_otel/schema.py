"""What is known about a kind of event: its schema, read, and its overlay, merged.

The catalog makes these; every other stage only reads them. Nothing here validates,
opens a file or decides.

::

    Schema ─┬─ root: Node        what the JSON Schema declares, as a graph
            └─ overlay: Overlay  what overlays say about it, already merged
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from jupyter_otel.tally import Word

PropertyPath: TypeAlias = tuple[str, ...]
"""A property's place: names from the root; ``*`` stands for an item or a map's key."""


class Level(Word):
    """How much is collected; each level takes in the ones before it."""

    NONE = "none"
    OPERATIONAL = "operational"
    USAGE = "usage"
    AUDIT = "audit"

    @property
    def rank(self) -> int:
        """Return its place, 0 for ``none``."""
        return list(Level).index(self)


class Group(Word):
    """What a person consents to, together."""

    SECURITY = "security"
    OPERATIONS = "operations"
    EXECUTIONS = "executions"
    DATA = "data"
    INTERFACE = "interface"
    EXTENSIONS = "extensions"


class Category(Word):
    """How sensitive a property is."""

    OPERATIONAL = "operational"
    IDENTITY = "identity"
    LOCATION = "location"
    CONTENT = "content"
    FREE_TEXT = "free_text"
    NETWORK = "network"


class Action(Word):
    """What the redactor does to a value, in the order from mildest to strictest."""

    ALLOW = "allow"
    TRUNCATE = "truncate"
    SCRUB = "scrub"
    HASH = "hash"
    MASK = "mask"
    DROP = "drop"

    @property
    def rank(self) -> int:
        """Return how strict it is, 0 for ``allow``."""
        return list(Action).index(self)


class PropertyRule(NamedTuple):
    """What an overlay says about the properties that a path pattern matches."""

    pattern: PropertyPath
    """Names; ``*`` matches one name, key or item, ``**`` any number, also none."""
    category: Category | None
    action: Action | None
    """Instead of what the level does to the category."""
    attribute: str | None
    """The attribute to export it under, instead of ``jupyter.event.<path>``."""
    origin: str
    """``file:line`` of the rule, for people."""
    code: bool = False
    """Executed code: ``OtelPolicy.code`` decides, at every level."""


def rule_text(value: Any) -> str | None:
    """Return a scalar as overlays' rules compare it: ``true``, ``404``, ``error``.

    A float without a fraction is an integer, as in JSON Schema. None: it is no scalar.
    """
    if isinstance(value, str):
        return value
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return str(value) if kind in (int, float) else None


_EXACT = 2**53
"""Below it a float without a fraction stands for one integer only."""


class SeverityRule(NamedTuple):
    """Which severity a record has, by the value of one property."""

    property: PropertyPath
    values: Mapping[str, str]
    """By `rule_text` of the value: OpenTelemetry's severity text (``ERROR``)."""


class SpanError(NamedTuple):
    """When a span's status is ERROR, and where its ``error.type`` is read."""

    property: PropertyPath
    values: frozenset[str]
    """Each as `rule_text`."""
    type: tuple[PropertyPath, ...]
    """The first of these that is there, and a scalar, gives ``error.type``."""


class NamePart(NamedTuple):
    """A piece of a span's name."""

    literal: str
    property: PropertyPath | None
    """What comes after it, if anything does."""


@dataclass(frozen=True, slots=True)
class SpanRule:
    """How events of a schema make a span.

    Either one event that says how long it took (``duration_ms``), or a start and an
    end that share a key.
    """

    name: tuple[NamePart, ...] = ()
    """Empty: the event name."""
    kind: str = "internal"
    duration_ms: PropertyPath | None = None
    start: Mapping[PropertyPath, Any] = field(default_factory=dict)
    """Property → value that marks the event that opens the span."""
    end: Mapping[PropertyPath, Any] = field(default_factory=dict)
    key: tuple[PropertyPath, ...] = ()
    error: SpanError | None = None


class AggregateRule(NamedTuple):
    """Events alike in ``by`` become one record with a count per window."""

    by: tuple[PropertyPath, ...]
    window_s: float


@dataclass(frozen=True, slots=True)
class Overlay:
    """What all overlays together say about one schema."""

    known: bool = False
    """Whether any overlay names the schema."""
    level: Level | None = None
    """The lowest level that collects it; None: only when included by policy."""
    group: Group = Group.EXTENSIONS
    control_plane: bool = False
    allow_unclassified: bool = False
    properties: tuple[PropertyRule, ...] = ()
    severity: SeverityRule | None = None
    span: SpanRule | None = None
    aggregate: AggregateRule | None = None
    sample: float = 1.0


@dataclass(slots=True, eq=False)
class Node:
    """What a schema declares about one value. Recursive schemas make it a cycle."""

    types: frozenset[str] = frozenset()
    """JSON Schema types it may have; empty: any."""
    properties: dict[str, "Node"] = field(default_factory=dict)
    """Declared by name, in declared order."""
    items: "Node | None" = None
    """What every item of an array may be, prefix items included."""
    others: "Node | None" = None
    """Values of ``patternProperties`` and of a schema in ``additionalProperties``."""
    categories: tuple[str, ...] = ()
    """As a legacy jupyter_telemetry schema wrote them."""


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One schema of the catalog. Compared by identity: an id may come twice."""

    id: str
    """Byte for byte as its author wrote it."""
    version: str | None
    package: str | None
    """The distribution that registered it, where known."""
    origin: str
    """Where the body came from, for people: a file, a package, an event logger."""
    body: Mapping[str, Any]
    root: Node
    overlay: Overlay


class Decision(NamedTuple):
    """What policy does to one declared property, and why."""

    action: Action
    category: Category | None
    attribute: str | None
    why: str
    """Rule and file, for `preview --explain`; never a value."""
    classified: bool = True
    covers_below: bool = False
    """Whether the rule ends with ``**``: it holds for all below as for the place."""
