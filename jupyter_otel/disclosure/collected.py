"""What is collected, as people and programs are told: plain values, ready for JSON.

::

    Collected ─┬─ schemas: CollectedSchema ── properties: CollectedProperty
               ├─ added: AddedAttribute      set on the way, in no event's data
               ├─ destinations: Destination
               └─ kept: Kept                 how long it stays here

Their JSON is held by ``schemas/api/collected.schema.json``. How they are found out is
in ``describe.py``.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from jupyter_otel.schema import Action, Category, Group, Level

RELAY = "relay for kernels"
"""The road of user code's own OpenTelemetry data."""


@dataclass(frozen=True, slots=True)
class CollectedProperty:
    """One property that a collected schema declares."""

    name: str
    """Its dotted path, as overlays write it."""
    category: Category | None
    action: Action
    means: str
    """The action in plain words."""
    attribute: str | None
    """What it leaves as; None where nothing of it leaves."""
    rule: str
    """The rule that decided, and the file that it stands in."""
    description: str | None
    """What the schema's author says it is."""


@dataclass(frozen=True, slots=True)
class CollectedSchema:
    """One kind of event that is collected."""

    id: str
    event_name: str
    title: str | None
    package: str | None
    origin: str
    """Where the schema comes from: a file, a package, an event logger."""
    level: Level | None
    """The lowest level that collects it; None: no level does."""
    chosen_by: str
    """What collects it: the level, or a setting that names it."""
    group: Group
    mode: str
    """Who decides about the group: opt_in, opt_out, mandatory or off."""
    makes_span: bool
    sample: float
    """The share of events that is kept."""
    window_s: float | None
    """Events alike within so many seconds become one record; None: each is one."""
    properties: tuple[CollectedProperty, ...]


@dataclass(frozen=True, slots=True)
class AddedAttribute:
    """Something that is set on every record, or on what sends it."""

    name: str
    on: str
    """``record`` or ``resource``."""
    means: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one signal goes."""

    signal: str
    kind: str
    """otlp, directory, console or none."""
    place: str
    """A URL or a folder, without credentials."""
    is_encrypted: bool | None
    """Whether the way there is; None where nothing is sent over a network."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How long records stay on this machine."""

    place: str | None
    """The spool's folder; None: in memory only."""
    until_sent_s: float
    """How long a record waits at most; then it is dropped."""
    recent_h: float
    """How long a person can read again what was sent of theirs."""
    max_mib: int


@dataclass(frozen=True, slots=True)
class Source:
    """A producer that can be switched on or off."""

    name: str
    is_on: bool
    means: str


@dataclass(frozen=True, slots=True)
class Road:
    """A way in which OpenTelemetry data that is no event of ours may leave."""

    name: str
    is_open: bool
    means: str


@dataclass(frozen=True, slots=True)
class Collected:
    """All of it: at level ``none`` without schemas, additions and destinations."""

    level: Level
    revision: str
    """A short name of the policy: another one whenever it changes."""
    identity: str
    """none, hash or name: how people are named in records."""
    code: str
    """none, hash or text: what is kept of executed code."""
    hash_key_id: str | None
    """Of the key under which values are hashed; None: none was made yet."""
    notice: str
    """What the deployment tells people: who collects, and what for; may be empty."""
    contact: str
    policy_url: str
    modes: dict[str, str]
    """Who decides about each group of schemas."""
    overlays: tuple[str, ...]
    """Administrators' files that say more than what is shipped, the strongest last."""
    schemas: tuple[CollectedSchema, ...]
    added: tuple[AddedAttribute, ...]
    sources: tuple[Source, ...]
    destinations: tuple[Destination, ...]
    kept: Kept
    roads: tuple[Road, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as ``schemas/api/collected.schema.json`` describes it."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain
