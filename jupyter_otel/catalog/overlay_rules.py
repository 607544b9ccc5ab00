"""An overlay's YAML, already checked, as the types that other stages read."""

import re
from collections.abc import Mapping
from typing import Any

from jupyter_otel.schema import (
    Action,
    AggregateRule,
    Category,
    Group,
    Level,
    NamePart,
    Overlay,
    PropertyPath,
    PropertyRule,
    SeverityRule,
    SpanError,
    SpanRule,
    rule_text,
)

_PROPERTY_IN_NAME = re.compile(r"\{([^{}]+)\}")
_UNESCAPED_DOT = re.compile(r"(?<!\\)\.")


def read_path(text: str) -> PropertyPath:
    r"""Return a dotted path's names; ``\.`` is a dot within a name."""
    return tuple(part.replace(r"\.", ".") for part in _UNESCAPED_DOT.split(text))


def overlay_from(said: Mapping[str, Any], rules: tuple[PropertyRule, ...]) -> Overlay:
    """Return an overlay out of what was said under its keys, and its property rules."""
    level, aggregate = said.get("level"), said.get("aggregate")
    severity, span = said.get("severity"), said.get("span")
    return Overlay(
        known=True,
        level=None if level is None else Level(level),
        group=Group(said.get("group", Group.EXTENSIONS)),
        control_plane=said.get("control_plane", False),
        allow_unclassified=said.get("unclassified") == "allow",
        properties=rules,
        severity=None if severity is None else _severity_rule(severity),
        span=None if span is None else _span_rule(span),
        aggregate=None if aggregate is None else _aggregate_rule(aggregate),
        sample=float(said.get("sample", 1.0)),
    )


def property_rule(pattern: PropertyPath, rule: Any, origin: str) -> PropertyRule:
    """Return the rule that a category alone, or a mapping, states for a path."""
    stated: Mapping[str, Any] = {"category": rule} if isinstance(rule, str) else rule
    category, action = stated.get("category"), stated.get("action")
    return PropertyRule(
        pattern=pattern,
        category=None if category is None else Category(category),
        action=None if action is None else Action(action),
        attribute=stated.get("attribute"),
        origin=origin,
        code=stated.get("code", False),
    )


def _severity_rule(stated: Mapping[str, Any]) -> SeverityRule:
    return SeverityRule(read_path(stated["property"]), dict(stated["values"]))


def _aggregate_rule(stated: Mapping[str, Any]) -> AggregateRule:
    by = tuple(read_path(path) for path in stated["by"])
    return AggregateRule(by, float(stated["window_s"]))


def _span_rule(stated: Mapping[str, Any]) -> SpanRule:
    duration, error = stated.get("duration_ms"), stated.get("error")
    return SpanRule(
        name=_name_parts(stated.get("name", "")),
        kind=stated.get("kind", "internal"),
        duration_ms=None if duration is None else read_path(duration),
        start=_marks(stated.get("start", {})),
        end=_marks(stated.get("end", {})),
        key=tuple(read_path(path) for path in stated.get("key", ())),
        error=None if error is None else _span_error(error),
    )


def _name_parts(text: str) -> tuple[NamePart, ...]:
    """Return ``run {tool.name}`` in pieces."""
    *pieces, rest = _PROPERTY_IN_NAME.split(text)
    parts = [
        NamePart(literal, read_path(name))
        for literal, name in zip(pieces[::2], pieces[1::2], strict=True)
    ]
    return (*parts, NamePart(rest, None)) if rest else tuple(parts)


def _marks(stated: Mapping[str, Any]) -> dict[PropertyPath, Any]:
    return {read_path(name): value for name, value in stated.items()}


def _span_error(stated: Mapping[str, Any]) -> SpanError:
    return SpanError(
        property=read_path(stated["property"]),
        values=frozenset(
            text for text in map(rule_text, stated["values"]) if text is not None
        ),
        type=tuple(read_path(path) for path in stated.get("type", ())),
    )
