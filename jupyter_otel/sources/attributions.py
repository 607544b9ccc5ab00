"""Whose the executions are that run or ran lately, and in which span.

What the kernel says about an execution is attributed by it: only the server knows who
asked. Nothing here knows how an execution goes or reads a message.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from jupyter_otel.event import Attribution, Person


@dataclass(slots=True, eq=False)
class _Kernel:
    by_msg_id: dict[str, Attribution | None] = field(default_factory=dict)
    """None: two people used the id, and what is said of it is nobody's."""
    people: set[Person | None] = field(default_factory=set)
    """Everybody who ran anything in it."""


class Attributions:
    """The newest executions of each kernel, by the message id of their request.

    Bounded: a kernel that floods pushes out only what it said itself, and kernels that
    are gone are forgotten. One that lives is not: who used it would be forgotten, too.

    Args:
        max_executions: So many of each kernel are kept.
        is_alive: Whether the kernel of an id is there.
        max_kernels: With so many, those that are gone are looked for.
    """

    def __init__(
        self,
        max_executions: int = 2000,
        is_alive: Callable[[str], bool] = lambda _kernel_id: True,
        max_kernels: int = 200,
    ) -> None:
        self._max_executions = max_executions
        self._is_alive = is_alive
        self._max_kernels = max_kernels
        self._kernels: dict[str, _Kernel] = {}

    def note(self, kernel_id: str, msg_id: str, attribution: Attribution) -> None:
        """Keep whose an execution is from now on."""
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            kernel = self._add_kernel(kernel_id)
        kernel.people.add(attribution.person)
        before = kernel.by_msg_id.pop(msg_id, attribution)
        is_shared = before is None or before.person != attribution.person
        kernel.by_msg_id[msg_id] = None if is_shared else attribution
        if len(kernel.by_msg_id) > self._max_executions:
            del kernel.by_msg_id[next(iter(kernel.by_msg_id))]

    def of(self, kernel_id: str, msg_id: str) -> Attribution | None:
        """Return whose it is; None where the server cannot tell.

        What belongs to no execution, an empty message id, is that person's who alone
        ever ran anything in the kernel.
        """
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            return None
        if not msg_id:
            several = len(kernel.people) > 1
            return None if several else Attribution(person=next(iter(kernel.people)))
        return kernel.by_msg_id.get(msg_id)

    def knows(self, kernel_id: str, msg_id: str) -> bool:
        """Return whether an execution of that id is among those that are kept."""
        kernel = self._kernels.get(kernel_id)
        return kernel is not None and msg_id in kernel.by_msg_id

    def _add_kernel(self, kernel_id: str) -> _Kernel:
        if len(self._kernels) >= self._max_kernels:
            self._kernels = {
                known: kernel
                for known, kernel in self._kernels.items()
                if self._is_alive(known)
            }
        kernel = self._kernels[kernel_id] = _Kernel()
        return kernel
