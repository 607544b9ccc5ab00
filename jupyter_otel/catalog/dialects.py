"""Which draft of JSON Schema a body is written in, and whether it keeps to it.

jsonschema-rs is asked first because it is there anyway; jsonschema, 50 times dearer to
import, has the last word on a schema that the other refuses.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


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


class Fault(NamedTuple):
    """Where and how a body breaks its draft's rules."""

    what: str
    harmless: bool
    """Whether everybody overlooks it: a `required` list that slipped in among the
    ``properties`` (notebook_metrics 1.0.0a1 ships one)."""


def faults(body: Mapping[str, Any]) -> list[Fault]:
    """Return how a body breaks its draft's rules, usually not at all."""
    from jsonschema_rs import ValidationError, meta  # noqa: PLC0415 (21 ms, if needed)

    dialect = dialect_of(body)
    try:
        meta.validate({**without_address(body), "$schema": dialect.uri})
    except (ValidationError, ValueError):
        return _faults_by_jsonschema(without_address(body), dialect)
    return []


def _faults_by_jsonschema(body: Mapping[str, Any], dialect: Dialect) -> list[Fault]:
    # 0.95 s to import, and most never need it.
    import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415

    draft: Any = getattr(jsonschema, dialect.validator)
    judge = draft(draft.META_SCHEMA, format_checker=draft.FORMAT_CHECKER)
    return [
        Fault(
            f"at /{'/'.join(map(str, error.absolute_path))}: "
            f"{error.message[:_MAX_REASON]}",
            list(error.absolute_path)[-2:] == ["properties", "required"],
        )
        for error in judge.iter_errors(body)
    ]
