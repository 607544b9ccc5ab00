"""What is known of an execution when it is asked for, besides whose it is.

From the request where a connection carried it, else from what the kernel repeats of
it. What is no id, name or word of ours is left out: it could be anything.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_otel.sources.executions import cell_id, kernel_name
from jupyter_otel.sources.kernel_wire import ExecuteRequest

_VS_CODE_CELL = "vscode-notebook-cell:"
# <session>_<process id>_<count>, as jupyter_client numbers its messages.
_PYTHON_CLIENT_ID = re.compile(r".+_(\d{1,10})_\d+")


@dataclass(frozen=True, slots=True)
class ExecutionFacts:
    """Collects the properties that an execution's events have in common."""

    takes_code: bool
    """Whether code is handed in at all; what leaves of it is policy's."""
    notebook_path: Callable[[str], str | None]
    """By kernel id."""
    program: Callable[[int], str | None] = lambda _process_id: None
    """Which client program a process of this machine is, where it is a known one."""

    def of_request(
        self, kernel_id: str, stated_name: object, request: ExecuteRequest
    ) -> dict[str, Any]:
        """Return those of a request that a connection carried."""
        further = {
            "cell_id": cell_id(request.metadata.get("cellId")),
            "client": self.client(request),
            "store_history": None if request.stores_history else False,
        }
        return self._facts(kernel_id, stated_name, request.code, further)

    def of_input(
        self,
        kernel_id: str,
        stated_name: object,
        header: Mapping[str, Any],
        code: str | None,
    ) -> dict[str, Any]:
        """Return those of an execution that only the kernel told of.

        Args:
            kernel_id: The kernel.
            stated_name: The name of its specification.
            header: The request's, as the kernel repeats it.
            code: None where there is too much of it.
        """
        further = {"client": self._python_client(header.get("msg_id"))}
        return self._facts(kernel_id, stated_name, code, further)

    def client(self, request: ExecuteRequest) -> str | None:
        """Return which kind of client asks, where its message tells.

        JupyterLab and Notebook 7 send the same and cannot be told apart.
        """
        if str(request.metadata.get("cellId", "")).startswith(_VS_CODE_CELL):
            return "vscode"
        if "deletedCells" in request.metadata or "recordTiming" in request.metadata:
            return "jupyterlab"
        if _PYTHON_CLIENT_ID.fullmatch(request.msg_id):
            return "python"
        if not request.subprotocol_v1 and request.username == "username":
            return "nbclassic"
        return None

    def _python_client(self, msg_id: object) -> str | None:
        """Return which Python program on this machine numbers its messages so."""
        if not isinstance(msg_id, str):
            return None
        numbered = _PYTHON_CLIENT_ID.fullmatch(msg_id)
        if numbered is None:
            return None
        return self.program(int(numbered[1])) or "python"

    def _facts(
        self,
        kernel_id: str,
        stated_name: object,
        code: str | None,
        further: Mapping[str, Any],
    ) -> dict[str, Any]:
        facts = {
            "kernel_id": kernel_id,
            "kernel_name": kernel_name(stated_name),
            "notebook_path": self.notebook_path(kernel_id),
            **further,
            "code_lines": None if code is None else len(code.splitlines()),
            "code": code if self.takes_code else None,
        }
        return {name: value for name, value in facts.items() if value is not None}
