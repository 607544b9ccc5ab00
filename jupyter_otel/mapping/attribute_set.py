"""The attributes of one schema's records: their names, order and limits.

Identity and schema come first, so that a limit of the count cuts payload.
"""

from collections.abc import Sequence
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
_NAMESAKE = b""
"""In place of an attribute whose name another property has."""


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
        taken = {*constant, _SOURCE, _TRUST, _UID, COUNT, *_USER}
        self.payload: list[str | None] = []
        """Each slot's attribute; None where one declared before has its name."""
        for slot in slots:
            name = slot.attribute or ".".join(("jupyter.event", *slot.path))
            self.payload.append(None if name in taken else name)
            taken.add(name)
        self.error_type_place = (
            self.payload.index(ERROR_TYPE) if ERROR_TYPE in taken else None
        )
        """The slot that an overlay exports as ``error.type``."""


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
        self._payload = [
            _leave_out if name is None else encoder(name).encode
            for name in names.payload
        ]
        self._has_namesakes = None in names.payload
        self._prefixes: dict[tuple[Source, Trust], bytes] = {}

    def encode(
        self, event: RedactedEvent, uid: str, extras: Extras = ()
    ) -> tuple[list[bytes], int]:
        """Return the serialized attributes and how many were left out."""
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
        left_out = self._remove_namesakes(pieces) if self._has_namesakes else 0
        # The prefix is one piece of many attributes, the uid the next.
        surplus = self._first_count + len(pieces) - 2 - self._max_count
        if surplus > 0:
            pieces = self._cut(origin, pieces)
            left_out += surplus
        return pieces, left_out

    def _remove_namesakes(self, pieces: list[bytes]) -> int:
        """Take out what `_leave_out` stands for; return how many there were."""
        count = pieces.count(_NAMESAKE)
        pieces[:] = [piece for piece in pieces if piece is not _NAMESAKE]
        return count

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


def _leave_out(_value: Any) -> bytes:
    return _NAMESAKE
