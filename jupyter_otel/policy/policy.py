"""The policy in force: which schemas are collected, and each property's fate.

Consent is not here: it depends on a person, and policy does not.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from jupyter_otel.policy.levels import ActionTable, action_for
from jupyter_otel.policy.patterns import (
    matches_id,
    matches_path,
    names_below,
    vagueness,
)
from jupyter_otel.schema import (
    Action,
    Category,
    Decision,
    Level,
    Node,
    Overlay,
    PropertyPath,
    PropertyRule,
    Schema,
)
from jupyter_otel.tally import Refusal


class CodePolicy(StrEnum):
    """What leaves of executed code."""

    NONE = "none"
    HASH = "hash"
    TEXT = "text"


class IdentityPolicy(StrEnum):
    """What leaves of people's names."""

    NONE = "none"
    HASH = "hash"
    NAME = "name"


_IDENTITY_ACTIONS: Mapping[IdentityPolicy, Action] = {
    IdentityPolicy.NONE: Action.DROP,
    IdentityPolicy.HASH: Action.HASH,
    IdentityPolicy.NAME: Action.ALLOW,
}
_CODE_ACTIONS: Mapping[CodePolicy, Action] = {
    CodePolicy.NONE: Action.DROP,
    CodePolicy.HASH: Action.HASH,
    CodePolicy.TEXT: Action.SCRUB,
}


class Policy:
    """Answers two questions: is this schema collected, what happens to this value.

    Args:
        level: How much is collected.
        include: Globs of schema ids collected whatever their level; a control-plane
            schema only by its exact id.
        exclude: Globs of schema ids never collected; they win over ``include``.
        code: What leaves of executed code; None: a hash at ``audit``, else nothing.
        identity: What leaves of user names.
        overrides: What overlays say about whole categories.
    """

    def __init__(
        self,
        *,
        level: Level,
        include: Collection[str] = (),
        exclude: Collection[str] = (),
        code: CodePolicy | None = None,
        identity: IdentityPolicy = IdentityPolicy.HASH,
        overrides: ActionTable | None = None,
    ) -> None:
        self.level = level
        self.identity = identity
        self.code = code or _default_code(level)
        self._include = frozenset(include)
        self._exclude = frozenset(exclude)
        self._overrides = overrides or {}

    @property
    def identity_action(self) -> Action:
        """Return what is done to the name of the person behind an event."""
        return _IDENTITY_ACTIONS[self.identity]

    def refusal(self, schema: Schema) -> Refusal | None:
        """Return why no event of this schema is collected, or None if they are."""
        if self.level is Level.NONE:
            return Refusal.LEVEL
        if matches_id(schema.id, self._exclude):
            return Refusal.EXCLUDED
        if schema.overlay.control_plane:
            return None if schema.id in self._include else Refusal.CONTROL_PLANE
        if matches_id(schema.id, self._include):
            return None
        return None if self._level_takes(schema.overlay) else Refusal.LEVEL

    def decide(self, schema: Schema, path: PropertyPath, node: Node) -> Decision | None:
        """Return what happens to the value at ``path``, or None if nothing says so.

        A rule with ``**`` does not soften what holds for a place above: only a rule
        that goes on below that place by name does.
        """
        rule = self._rule_in_force(schema.overlay, path)
        if rule is not None:
            return self._decide_by_rule(rule, path)
        return self._decide_by_legacy_categories(node)

    def decide_unclassified(self, overlay: Overlay) -> Decision:
        """Return what happens to a declared property that nobody classified."""
        if overlay.allow_unclassified:
            return Decision(Action.ALLOW, None, None, "unclassified: allow")
        return Decision(Action.DROP, None, None, "unclassified", classified=False)

    def _level_takes(self, overlay: Overlay) -> bool:
        return overlay.level is not None and overlay.level.rank <= self.level.rank

    def _rule_in_force(
        self, overlay: Overlay, path: PropertyPath
    ) -> PropertyRule | None:
        own = self._best_rule(overlay, path)
        if own is None or "**" not in own.pattern:
            return own
        held, place = own, path[:0]
        for end in range(1, len(path) + 1):
            rule = self._best_rule(overlay, path[:end])
            if rule and (not place or self._prevails(rule, held, place)):
                held, place = rule, path[:end]
        return held if held is own else held._replace(attribute=None)

    def _prevails(
        self, rule: PropertyRule, held: PropertyRule, place: PropertyPath
    ) -> bool:
        """Return whether a rule ends what another says of ``place``, below it."""
        is_meant = names_below(rule.pattern, place, held.pattern.count("**"))
        return is_meant or self._action(rule).rank >= self._action(held).rank

    def _best_rule(self, overlay: Overlay, path: PropertyPath) -> PropertyRule | None:
        matching = [
            rule for rule in overlay.properties if matches_path(path, rule.pattern)
        ]
        return min(
            matching,
            key=lambda rule: (
                vagueness(rule),
                -self._action(rule).rank,
                -len(rule.pattern),
            ),
            default=None,
        )

    def _decide_by_rule(self, rule: PropertyRule, path: PropertyPath) -> Decision:
        action = self._action(rule)
        pattern = ".".join(rule.pattern)
        why = f"{pattern}: {rule.category or action} ({rule.origin})"
        if self._is_overridden(rule):
            why += f", categories.{rule.category}.{self.level}: {action}"
        return Decision(
            action,
            rule.category,
            self._attribute(rule, action, path),
            why,
            covers_below=rule.pattern[-1:] == ("**",),
        )

    def _is_overridden(self, rule: PropertyRule) -> bool:
        """Return whether a deployment's own ``categories`` decides about a rule."""
        if rule.action is not None or rule.code or rule.category is None:
            return False
        return self.level in self._overrides.get(rule.category, {})

    def _decide_by_legacy_categories(self, node: Node) -> Decision | None:
        category = legacy_category(node.categories)
        if category is None:
            return None
        action = self._category_action(category)
        return Decision(action, category, None, "categories of the schema")

    def _action(self, rule: PropertyRule) -> Action:
        if rule.action is not None:
            return rule.action
        if rule.code:
            return _CODE_ACTIONS[self.code]
        if rule.category is None:
            return Action.DROP
        return self._category_action(rule.category)

    def _category_action(self, category: Category) -> Action:
        if category is Category.IDENTITY:
            return self.identity_action
        return action_for(category, self.level, self._overrides)

    @staticmethod
    def _attribute(
        rule: PropertyRule, action: Action, path: PropertyPath
    ) -> str | None:
        """Name hashed code apart from code, as the contract does."""
        if rule.code and action is Action.HASH and rule.attribute is None:
            return f"jupyter.event.{'.'.join(path)}_hash"
        return rule.attribute


def _default_code(level: Level) -> CodePolicy:
    return CodePolicy.HASH if level is Level.AUDIT else CodePolicy.NONE


def legacy_category(categories: Collection[str]) -> Category | None:
    """Return the category that a jupyter_telemetry schema meant, if it is one of two.

    Its values were ``unrestricted`` and ``user-identifiable-information`` (cut short in
    some schemas), bare or under ``category.jupyter.org/``; any other word counts as
    unclassified.
    """
    names = {category.rpartition("/")[2] for category in categories}
    if any(name.startswith("user-identifi") for name in names):
        return Category.IDENTITY
    if names == {"unrestricted"}:
        return Category.OPERATIONAL
    return None
