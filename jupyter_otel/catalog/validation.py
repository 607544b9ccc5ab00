"""Whether data fits a schema: jsonschema-rs, or jsonschema where that cannot.

Both differ in rare cases, listed in ``tests/unit/catalog/test_agreement.py``. Neither
ever fetches a schema, and neither shows a value of the data that it judged.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from jupyter_otel.catalog.dialects import dialect_of, without_address
from jupyter_otel.schema import Node, Schema

_MAX_REASON = 200


class Validator(Protocol):
    """Judges data by one schema. Safe to use from several threads."""

    slow_reason: str | None
    """Why jsonschema has to do it, at 50 times the cost; None: it has not."""

    def is_valid(self, data: object) -> bool:
        """Return whether the data fits. Never raises."""

    def explain(self, data: object) -> str:
        """Return the first error's place and keyword, ``/status: enum``; no value."""


def compile_validator(schema: Schema) -> Validator:
    """Return the fastest validator that takes a schema."""
    import jsonschema_rs  # noqa: PLC0415 (21 ms, at the first event)

    make: Any = getattr(jsonschema_rs, dialect_of(schema.body).validator)
    reason = ""
    for body in (dict(schema.body), without_address(schema.body)):
        try:
            compiled = make(body, retriever=_refuse)
        except ValueError as error:
            reason = reason or _first_line(error)
        else:
            return _FastValidator(schema, compiled)
    return _SlowValidator(schema, f"jsonschema-rs refuses the schema: {reason}")


class _FastValidator:
    """jsonschema-rs; jsonschema for data that it cannot read (a lone surrogate)."""

    slow_reason: str | None = None

    def __init__(self, schema: Schema, compiled: Any) -> None:
        self._schema = schema
        self._compiled = compiled
        self._fallback: _SlowValidator | None = None

    def is_valid(self, data: object) -> bool:
        try:
            valid: bool = self._compiled.is_valid(data)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return self._slow().is_valid(data)
        return valid

    def explain(self, data: object) -> str:
        try:
            error = next(iter(self._compiled.iter_errors(data)), None)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return self._slow().explain(data)
        if error is None:
            return "valid"
        return _place(self._schema.root, error.instance_path, error.schema_path)

    def _slow(self) -> "_SlowValidator":
        if self._fallback is None:
            self._fallback = _SlowValidator(self._schema, "data that is not JSON")
        return self._fallback


class _SlowValidator:
    """jsonschema, which takes odd schemas and odd data, slowly."""

    def __init__(self, schema: Schema, slow_reason: str) -> None:
        # 0.95 s to import, and most never need it.
        import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415
        import jsonschema_specifications as known  # type: ignore[import-untyped]  # noqa: PLC0415

        self.slow_reason: str | None = slow_reason
        self._root = schema.root
        make: Any = getattr(jsonschema, dialect_of(schema.body).validator)
        # A registry of our own: the default one fetches what it does not know.
        self._validator: Any = make(
            schema.body, registry=known.REGISTRY, format_checker=make.FORMAT_CHECKER
        )

    def is_valid(self, data: object) -> bool:
        try:
            return bool(self._validator.is_valid(data))
        except Exception:  # noqa: BLE001 (a broken schema breaks it in any way: no fit)
            return False

    def explain(self, data: object) -> str:
        try:
            error = next(self._validator.iter_errors(data), None)
        except Exception:  # noqa: BLE001 (ditto)
            return "/: the schema itself cannot be applied"
        if error is None:
            return "valid"
        return _place(self._root, error.absolute_path, error.absolute_schema_path)


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not in this schema, and nothing is ever fetched")


def _place(root: Node, instance: Iterable[Any], rule: Iterable[Any]) -> str:
    """Return where and which rule; a key that no schema declares is data, so ``*``."""
    node: Node | None = root
    place = []
    for part in instance:
        place.append(_shown(node, part))
        node = _below(node, part)
    keywords = [part for part in rule if isinstance(part, str)]
    return f"/{'/'.join(place)}: {keywords[-1] if keywords else 'false schema'}"


def _shown(node: Node | None, part: Any) -> str:
    known = isinstance(part, int) or (node is not None and part in node.properties)
    return str(part) if known else "*"


def _below(node: Node | None, part: Any) -> Node | None:
    if node is None:
        return None
    if isinstance(part, int):
        return node.items
    return node.properties.get(part, node.others)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:_MAX_REASON]
