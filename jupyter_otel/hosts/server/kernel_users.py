"""Who uses a kernel: whoever opens a connection to it.

A mixin over whatever class a server's kernel connections are of. What goes through a
connection is not read: code runs in a kernel by more ways than an execution that is
captured (a silent one, a widget's message), so having one is enough.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jupyter_otel.event import Person
from jupyter_otel.sources.derived_class import derive
from jupyter_otel.sources.faults import HookEdge


@dataclass(frozen=True, slots=True)
class KernelUsers:
    """Tells of each connection whose it is."""

    join: Callable[[str, Person], None]
    """Takes a kernel's id and who uses it."""
    person: Callable[[Any], Person]
    """Whose a connection's WebSocket handler is."""
    _edge: HookEdge = field(default_factory=lambda: HookEdge("who uses a kernel"))

    def connected(self, connection: Any) -> None:
        """Note whose a new connection is. Never raises."""
        with self._edge:
            self.join(connection.kernel_id, self.person(connection.websocket_handler))


class KernelUserMixin:
    """Over a kernel WebSocket connection class; see `noting`."""

    otel_users: KernelUsers

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.otel_users.connected(self)


def noting(base: type, users: KernelUsers) -> type:
    """Return a subclass of a kernel WebSocket connection class that tells who it is."""
    return derive(KernelUserMixin, base, otel_users=users)
