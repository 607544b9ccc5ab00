"""Puts classes of ours before those of a server's kernel managers, one a kernel.

Whatever class the server was given stays, as the base of ours.
"""

from collections.abc import Callable
from typing import Any

from jupyter_otel.sources.faults import HookEdge


def derive_kernel_managers(
    kernels: Any, derive: Callable[[type], type], edge: HookEdge
) -> None:
    """Make every kernel's manager from now on an instance of a derived class.

    Args:
        kernels: The server's manager of all kernels.
        derive: Makes the class, of the one that the manager would have.
        edge: Where errors end.
    """
    make = kernels.kernel_manager_factory
    derived: dict[type, type] = {}

    def make_derived(*args: Any, **kwargs: Any) -> Any:
        manager = make(*args, **kwargs)
        with edge:
            base = type(manager)
            if base not in derived:
                derived[base] = derive(base)
            manager.__class__ = derived[base]
        return manager

    kernels.kernel_manager_factory = make_derived
