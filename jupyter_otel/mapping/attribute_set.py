"""The attributes of one schema's records: their names, order and limits.

Identity and schema come first, so that a limit of the count cuts payload.
"""

from collections.abc import Collection, Sequence
from typing import Any

from jupyter_otel.event import RedactedEvent, Slot, Source, Trust
from jupyter_otel.mapping.attributes import AttributeEncoder
from jupyter_otel.mapping.limits import AttributeLimits
from jupyter_otel.schema import Schema

ERROR_TYPE = "error.type"
COUNT = "jupyter.aggregate.count"
Extras = Sequence[tuple[str, str | int]]
"""Attributes that are no property of the event: `ERROR_TYPE`, `COUNT`."""
_SOURCE, _TRUST, _UID = "jupyter.source", "jupyter.trust", "log.record.uid"
_USER = ("user.hash", "user.name")


class AttributeNames:
    """Which attributes a schema's records have, and the values that never change."""

    def __init__(self, schema: Schema, slots: Sequence[Slot], event_name: str) -> None:
        constant = {
            "otel.event.name": event_name,
            "jupyter.schema.id": schema.id,
            "jupyter.schema.version": schema.version,
            "jupyter.schema.package": schema.package,
        }
        self.constant = {k: v for k, v in constant.items() if v is not None}
        self.payload = [
            slot.attribute or ".".join(("jupyter.event", *slot.path)) for slot in slots
        ]
        """Each slot's attribute; two may have one name."""
        own = {*constant, _SOURCE, _TRUST, _UID, COUNT, *_USER}
        self.namesakes = Namesakes(self.payload, own)
        self.error_type_places = [
            place for place, name in enumerate(self.payload) if name == ERROR_TYPE
        ]
        """The slots that an overlay exports as ``error.type``."""


class Namesakes:
    """The properties that share an attribute's name; false without any.

    Args:
        names: Each slot's attribute.
        own: Names that no property may have.
    """

    def __init__(self, names: Sequence[str], own: Collection[str]) -> None:
        places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            places.setdefault(name, []).append(place)
        self._rivals = [
            (rivals, 0 if name in own else 1)
            for name, rivals in places.items()
            if name in own or len(rivals) > 1
        ]
        """With how many of them a record may show."""

    def __bool__(self) -> bool:
        return bool(self._rivals)

    def settle(self, values: Sequence[Any]) -> tuple[list[Any], int]:
        """Return the values that keep their name, and how many there are not.

        The first declared that is there keeps it.
        """
        kept, lost = list(values), 0
        for rivals, room in self._rivals:
            present = [place for place in rivals if values[place] is not None]
            for place in present[room:]:
                kept[place] = None
                lost += 1
        return kept, lost


class AttributeSet:
    """Encodes the attributes of records of one schema and one kind.

    Args:
        field: Number of the repeated ``attributes`` field in the message.
        names: Of the schema.
        limits: OpenTelemetry's, for this kind of record.
    """

    def __init__(
        self, field: int, names: AttributeNames, limits: AttributeLimits
    ) -> None:
        def encoder(name: str) -> AttributeEncoder:
            return AttributeEncoder(field, name, limits.max_characters)

        self._max_count = limits.max_count
        self._constant = [encoder(k).encode(v) for k, v in names.constant.items()]
        self._first_count = len(self._constant) + 3
        self._source, self._trust, self._uid = map(encoder, (_SOURCE, _TRUST, _UID))
        self._user = {name: encoder(name) for name in _USER}
        self._extras = {name: encoder(name) for name in (ERROR_TYPE, COUNT)}
        self._payload = [encoder(name).encode for name in names.payload]
        self._prefixes: dict[tuple[Source, Trust], bytes] = {}

    def encode(
        self, event: RedactedEvent, uid: str, extras: Extras = ()
    ) -> tuple[list[bytes], int]:
        """Return the serialized attributes and how many the limit cut."""
        origin = (event.source, event.trust)
        prefix = self._prefixes.get(origin) or self._remember_prefix(*origin)
        pieces = [prefix, self._uid.encode_once(uid)]
        if event.user is not None:
            name, who = event.user
            pieces.append(self._user[name].encode(who))
        pieces += [
            encode(value)
            for encode, value in zip(self._payload, event.values, strict=True)
            if value is not None
        ]
        if extras:
            pieces += [self._extras[name].encode(value) for name, value in extras]
        # The prefix is one piece of many attributes, the uid the next.
        surplus = self._first_count + len(pieces) - 2 - self._max_count
        if surplus <= 0:
            return pieces, 0
        return self._cut(origin, pieces), surplus

    def _remember_prefix(self, source: Source, trust: Trust) -> bytes:
        prefix = b"".join(self._first(source, trust))
        self._prefixes[source, trust] = prefix
        return prefix

    def _first(self, source: Source, trust: Trust) -> list[bytes]:
        return [
            *self._constant,
            self._source.encode(source.value),
            self._trust.encode(trust.value),
        ]

    def _cut(self, origin: tuple[Source, Trust], pieces: list[bytes]) -> list[bytes]:
        return [*self._first(*origin), *pieces[1:]][: self._max_count]
