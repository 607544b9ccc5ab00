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


def priority(group: Group) -> int:
    """Return a group's priority, 0 the first to go; sign-ins and executions last."""
    return _PRIORITIES[group]
