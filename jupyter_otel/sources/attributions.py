"""Whose the executions are that run or ran lately, and in which span.

What the kernel says about an execution is attributed by it: only the server knows who
asked. Nothing here knows how an execution goes or reads a message.
"""

from jupyter_otel.event import Attribution


class Attributions:
    """The newest executions of each kernel, by the message id of their request.

    Bounded both ways: a kernel that floods pushes out only what it said itself.
    """

    def __init__(self, max_executions: int = 2000, max_kernels: int = 200) -> None:
        self._max_executions = max_executions
        self._max_kernels = max_kernels
        self._by_kernel: dict[str, dict[str, Attribution]] = {}

    def note(self, kernel_id: str, msg_id: str, attribution: Attribution) -> None:
        """Keep whose an execution is from now on."""
        known = self._by_kernel.get(kernel_id)
        if known is None:
            known = self._add_kernel(kernel_id)
        known[msg_id] = attribution
        if len(known) > self._max_executions:
            del known[next(iter(known))]

    def of(self, kernel_id: str, msg_id: str) -> Attribution | None:
        """Return whose it is; None where the server knows of no such execution."""
        known = self._by_kernel.get(kernel_id)
        return None if known is None else known.get(msg_id)

    def _add_kernel(self, kernel_id: str) -> dict[str, Attribution]:
        if len(self._by_kernel) >= self._max_kernels:
            del self._by_kernel[next(iter(self._by_kernel))]
        known: dict[str, Attribution] = {}
        self._by_kernel[kernel_id] = known
        return known
