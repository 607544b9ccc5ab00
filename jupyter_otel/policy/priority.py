"""What is kept longest when room runs out."""

from collections.abc import Mapping

from jupyter_otel.schema import Group

_PRIORITIES: Mapping[Group, int] = {
    Group.INTERFACE: 0,
    Group.EXTENSIONS: 1,
    Group.OPERATIONS: 2,
    Group.DATA: 3,
    Group.EXECUTIONS: 4,
    Group.SECURITY: 5,
}
_LOWEST_SHARE = 0.75
_QUEUE_SHARES: Mapping[Group, float] = {
    group: _LOWEST_SHARE + (1 - _LOWEST_SHARE) * rank / max(_PRIORITIES.values())
    for group, rank in _PRIORITIES.items()
}


def priority(group: Group) -> int:
    """Return a group's priority, 0 the first to go; sign-ins and executions last."""
    return _PRIORITIES[group]


def queue_share(group: Group) -> float:
    """Return up to which part of a queue's bound records of a group may enter it.

    The lowest priority stops at three quarters; the rest is kept for those above, step
    by step, so that overload drops them in the same order as a full spool.
    """
    return _QUEUE_SHARES[group]
