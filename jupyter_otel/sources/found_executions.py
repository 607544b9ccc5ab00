"""Executions that no connection of this server carried, made of what the kernel told.

All of it is a client's word: whoever reaches the kernel can say it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_otel.event import Attribution, Person, Trust
from jupyter_otel.sources.execution_facts import ExecutionFacts
from jupyter_otel.sources.executions import Execution
from jupyter_otel.sources.spans import Spans


@dataclass(frozen=True, slots=True)
class FoundExecutions:
    """Makes an execution of the header of its request and of its code.

    The client's own trace cannot be joined: kernels do not repeat a request's
    metadata to all.
    """

    facts: ExecutionFacts
    spans: Spans | None
    """None: no trace context is made."""
    person: Person | None
    """Whose they are: the account, where the server has but one; else nobody's."""
    kernel_name: Callable[[str], object]
    """The name of a kernel's specification, by the kernel's id."""
    now_ns: Callable[[], int]

    def __call__(
        self, kernel_id: str, header: Mapping[str, Any], code: str | None
    ) -> Execution:
        """Return it as it begins: now.

        Args:
            kernel_id: Which kernel runs it.
            header: The request's, as the kernel repeats it.
            code: None where there is too much of it.
        """
        name = self.kernel_name(kernel_id)
        spans, now_ns = self.spans, self.now_ns()
        return Execution(
            msg_id=str(header.get("msg_id")),
            requested_ns=now_ns,
            facts=self.facts.of_input(kernel_id, name, header, code),
            attribution=Attribution(
                person=self.person,
                span=None if spans is None else spans.start(None, "execute"),
                trust=Trust.CLIENT,
            ),
            was_seen_asked=False,
            busy_ns=now_ns,
        )
