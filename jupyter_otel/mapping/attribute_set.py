"""The attributes of one schema's records: their names, order and limits.

Identity and schema come first, so that a limit of the count cuts payload.
"""

from collections.abc import Collection, Sequence
from typing import Any

from jupyter_otel.event import Provenance, RedactedEvent, Slot
from jupyter_otel.mapping.attributes import AttributeEncoder
from jupyter_otel.mapping.limits import AttributeLimits
from jupyter_otel.mapping.uid import UID_BYTES
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
        self._source, self._trust = encoder(_SOURCE), encoder(_TRUST)
        self._user = {name: encoder(name) for name in _USER}
        self._uid_size = UID_BYTES
        if limits.max_characters is not None:
            self._uid_size = min(UID_BYTES, limits.max_characters)
        self._uid_head = encoder(_UID).text_head(self._uid_size)
        self._extras = {name: encoder(name) for name in (ERROR_TYPE, COUNT)}
        payload = [encoder(name) for name in names.payload]
        self._texts = [it.texts for it in payload]
        self._integers = [it.integers for it in payload]
        self._encode = [it.encode for it in payload]
        self._first: tuple[Provenance | None, bytes, int] = (None, b"", 0)

    def encode(
        self, event: RedactedEvent, uid: bytes, extras: Extras = ()
    ) -> tuple[list[bytes], int]:
        """Return the serialized attributes and how many the limit cut."""
        known, first, room = self._first
        if event.provenance is not known:
            first, room = self._begin(event.provenance)
        pieces = [first, uid[: self._uid_size]]
        columns = zip(
            event.values, self._texts, self._integers, self._encode, strict=True
        )
        for value, texts, integers, encode in columns:
            if value is None:
                continue
            # The usual kinds are a look-up each, without a call.
            kind = type(value)
            if kind is str:
                pieces.append(texts[value])
            elif kind is int:
                pieces.append(integers[value])
            else:
                pieces.append(encode(value))
        if extras:
            pieces += [self._extras[name].encode(value) for name, value in extras]
        # The first two pieces are many attributes; the room is for the others.
        surplus = len(pieces) - 2 - room
        if surplus <= 0:
            return pieces, 0
        return self._cut(event.provenance, pieces), surplus

    def _begin(self, provenance: Provenance) -> tuple[bytes, int]:
        """Return all up to the uid's own bytes, and how many attributes may follow."""
        pieces = [*self._first_pieces(provenance), self._uid_head]
        first, room = b"".join(pieces), self._max_count - len(pieces)
        self._first = (provenance, first, room)
        return first, room

    def _first_pieces(self, provenance: Provenance) -> list[bytes]:
        source, trust, user = provenance
        pieces = [
            *self._constant,
            self._source.encode(source.value),
            self._trust.encode(trust.value),
        ]
        if user is not None:
            name, who = user
            pieces.append(self._user[name].encode(who))
        return pieces

    def _cut(self, provenance: Provenance, pieces: list[bytes]) -> list[bytes]:
        uid = self._uid_head + pieces[1]
        attributes = [*self._first_pieces(provenance), uid, *pieces[2:]]
        return attributes[: self._max_count]
