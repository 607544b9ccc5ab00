"""The engine that ``papermill --engine jupyter_otel`` names: papermill's own, reported.

papermill imports every installed engine whenever it is imported itself, so this imports
nothing but papermill until a notebook runs.
"""

from typing import Any

from papermill.engines import NBClientEngine  # type: ignore[import-untyped]


class OtelEngine(NBClientEngine):  # type: ignore[misc]  # papermill is untyped
    """Runs a notebook as papermill does, and reports it as Jupyter's files say."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, **kwargs: Any
    ) -> Any:
        """Run a notebook; hooks that the caller gives take the place of ours."""
        from jupyter_otel.hosts.runs.hooks import (  # noqa: PLC0415 - if used
            notebook_hooks,
        )

        hooks = {**notebook_hooks(), **kwargs}
        return super().execute_managed_notebook(nb_man, kernel_name, **hooks)
