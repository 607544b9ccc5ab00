"""Which draft of JSON Schema a body is written in, and whether it keeps to it.

jsonschema-rs is asked first because it is there anyway; jsonschema, 50 times dearer to
import, has the last word on a schema that the other refuses.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from jupyter_otel.errors import SchemaError


class Dialect(NamedTuple):
    """A draft, by its names in both libraries."""

    uri: str
    validator: str
    """The class's name, in `jsonschema` and `jsonschema_rs`."""


_DRAFT_7 = Dialect("http://json-schema.org/draft-07/schema", "Draft7Validator")
_DIALECTS = {
    dialect.uri: dialect
    for dialect in (
        Dialect("http://json-schema.org/draft-04/schema", "Draft4Validator"),
        Dialect("http://json-schema.org/draft-06/schema", "Draft6Validator"),
        _DRAFT_7,
        Dialect("https://json-schema.org/draft/2019-09/schema", "Draft201909Validator"),
        Dialect("https://json-schema.org/draft/2020-12/schema", "Draft202012Validator"),
    )
}
_MAX_REASON = 200


def dialect_of(body: Mapping[str, Any]) -> Dialect:
    """Return the draft that ``$schema`` names; Draft 7 without one, or an unknown."""
    stated = body.get("$schema")
    uri = stated.rstrip("#") if isinstance(stated, str) else ""
    return _DIALECTS.get(uri, _DRAFT_7)


def without_address(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body without ``$id`` and ``$schema``, so that an odd one stops nobody.

    Only references that name the schema by its own id need them.
    """
    return {k: v for k, v in body.items() if k not in ("$id", "id", "$schema")}


def breach(body: Mapping[str, Any]) -> str | None:
    """Return where and how a body breaks its draft's rules, or None if it does not."""
    from jsonschema_rs import ValidationError, meta  # noqa: PLC0415 (21 ms, if needed)

    dialect = dialect_of(body)
    try:
        meta.validate({**without_address(body), "$schema": dialect.uri})
    except (ValidationError, ValueError):
        return _breach_by_jsonschema(without_address(body), dialect)
    return None


def require_sound(body: Mapping[str, Any], origin: str) -> None:
    """Refuse a body that breaks its draft's rules.

    Raises:
        SchemaError: Names the place, the rule and the cure.
    """
    found = breach(body)
    if found is not None:
        raise SchemaError(
            f"{origin} is not a valid JSON Schema ({dialect_of(body).uri}): {found}. "
            "Correct it there."
        )


def _breach_by_jsonschema(body: Mapping[str, Any], dialect: Dialect) -> str | None:
    # 0.95 s to import, and most never need it.
    import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        getattr(jsonschema, dialect.validator).check_schema(body)
    except jsonschema.SchemaError as error:
        place = "/".join(map(str, error.absolute_path))
        return f"at /{place}: {error.message[:_MAX_REASON]}"
    return None
