"""Who is told when a module of a given name is imported, as long as it wants to be."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable


class ImportHook(MetaPathFinder):
    """Calls back with each module of these names: now where it is there, or later.

    Args:
        names: Of modules.
        imported: Gets the module once its code has run; must not raise.
    """

    def __init__(
        self, names: Iterable[str], imported: Callable[[ModuleType], None]
    ) -> None:
        self._names = set(names)
        self._imported = imported

    def install(self) -> None:
        """Begin."""
        sys.meta_path.insert(0, self)
        for name in sorted(self._names):
            module = sys.modules.get(name)
            # One that is just being imported by another thread comes later.
            if module is not None and not _is_initializing(module):
                self._came(module)

    def uninstall(self) -> None:
        """End; a module that is imported afterwards is left alone."""
        self._names.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - a finder's signature
        target: ModuleType | None = None,  # noqa: ARG002 - as above
    ) -> ModuleSpec | None:
        """Let the other finders find a module, and see when its code has run."""
        if fullname not in self._names:
            return None
        self._names.discard(fullname)  # so that this does not answer itself
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._names.add(fullname)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return None
        spec.loader = _ObservedLoader(spec.loader, self._came)
        return spec

    def _came(self, module: ModuleType) -> None:
        if module.__name__ in self._names:
            self._names.discard(module.__name__)
            self._imported(module)


class _ObservedLoader(Loader):
    """Stands before a module's own loader until the module's code runs."""

    def __init__(self, loader: Any, came: Callable[[ModuleType], None]) -> None:
        self._loader, self._came = loader, came

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let the module be made as it would be."""
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code, under its own loader, then tell of it."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        try:
            self._loader.exec_module(module)
        except BaseException as error:
            # As without us: from the import statement straight to the module's code.
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise
        self._came(module)


def _is_initializing(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))
