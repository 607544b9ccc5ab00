"""What each level does to each category, before any overlay says otherwise."""

from collections.abc import Mapping

from jupyter_otel.schema import Action, Category, Level

ActionTable = Mapping[Category, Mapping[Level, Action]]
"""Category → level → action; a missing entry means drop."""

_FROM_OPERATIONAL = (Level.OPERATIONAL, Level.USAGE, Level.AUDIT)

DEFAULT_ACTIONS: ActionTable = {
    Category.OPERATIONAL: dict.fromkeys(_FROM_OPERATIONAL, Action.ALLOW),
    Category.LOCATION: {Level.USAGE: Action.HASH, Level.AUDIT: Action.ALLOW},
    Category.CONTENT: {},
    Category.FREE_TEXT: {Level.AUDIT: Action.SCRUB},
    Category.NETWORK: {Level.AUDIT: Action.ALLOW},
}
"""INTERFACE's table. ``identity`` is not in it: `Policy` asks its own setting."""


def action_for(
    category: Category, level: Level, overrides: ActionTable | None = None
) -> Action:
    """Return what ``level`` does to ``category``; what nobody says is dropped."""
    for table in (overrides or {}, DEFAULT_ACTIONS):
        action = table.get(category, {}).get(level)
        if action is not None:
            return action
    return Action.DROP
