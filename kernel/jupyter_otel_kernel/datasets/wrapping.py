"""Functions of other people, replaced by ours so that nobody notices, and put back.

A wrapper is a plain function that says it is the original: it is pickled by the name
under which it is found, has the original's signature, and takes itself out of
tracebacks. For counting a warning's ``stacklevel`` it is not there, either.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from threading import get_ident
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from jupyter_otel_kernel import cells
from jupyter_otel_kernel.datasets.functions import Function

Called = Callable[[Function, str, Any, Any, bool], None]
"""Is told of a call: function, library, its arguments, and whether it succeeded."""

# The interpreter passes over frames whose file's name has both words when it looks for
# the line that a warning is about (`is_internal_frame` in CPython's _warnings.c).
_PASSED_OVER = "<jupyter_otel_kernel: passed over like importlib._bootstrap>"


class _Replaced(NamedTuple):
    owner: Any
    name: str
    original: Any
    ours: Any


class Wrappers:
    """All functions that are wrapped.

    Args:
        called: Told of each outermost call, after it; must not raise.
    """

    def __init__(self, called: Called) -> None:
        self._called = called
        self.full: cells.Cell | None = None
        """A cell of which no more is taken: for a long loop there is nothing to do but
        to count, which is done here and at once."""
        self._inside: set[int] = set()
        self._replaced: list[_Replaced] = []
        self._parts: list[ModuleType] = []

    def begin(self, module: ModuleType) -> None:
        """Take note of a library whose functions are wrapped next."""
        self._parts = _parts(module)

    def wrap(self, module: ModuleType, function: Function) -> None:
        """Wrap one function of a module, if the module has it."""
        path, _, name = function.name.rpartition(".")
        owner = getattr(module, path, None) if path else module
        if isinstance(owner, type):
            self._wrap_method(owner, name, function)
        elif owner is not None and name in vars(owner):
            self._wrap_function(module, name, function)

    def replace_value(self, namespace: dict[str, Any], name: str) -> None:
        """Put our wrapper into a namespace that has its original under some name."""
        for replaced in self._replaced:
            if namespace.get(name) is replaced.original:
                namespace[name] = replaced.ours

    def leave(self) -> None:
        """Forget that this thread was inside a call: an interrupt may leave it so."""
        self._inside.discard(get_ident())

    def restore_all(self, user_ns: dict[str, Any]) -> None:
        """Put every original back, but where somebody else has put something since.

        Also under the names that cells and modules gave our wrappers by importing them.
        """
        for owner, name, original, ours in reversed(self._replaced):
            if vars(owner).get(name) is ours:
                setattr(owner, name, original)
        originals = {id(one.ours): one.original for one in self._replaced}
        for namespace in (user_ns, *_namespaces()):
            for name, value in list(namespace.items()):
                if id(value) in originals:
                    namespace[name] = originals[id(value)]
        self._replaced.clear()

    def _wrap_function(self, module: Any, name: str, function: Function) -> None:
        original = vars(module)[name]
        known = self._known(original)
        if known is not None:
            self._replace(module, name, known.original, known.ours)
            return
        ours = self._wrapper(original, function, _library(module, function))
        # Where it is found again by name, which is how functions are pickled.
        ours.__module__ = module.__name__
        ours.__qualname__ = ours.__name__ = name
        self._replace(module, name, original, ours)
        # An original that is left where it can be got at could not be pickled: by its
        # own word it is the one that is found in the module.
        for part in self._parts:
            if vars(part).get(name) is original:
                self._replace(part, name, original, ours)

    def _wrap_method(self, owner: type, name: str, function: Function) -> None:
        """Wrap a method where it is defined: also above the class that is named."""
        home = next((kind for kind in owner.__mro__ if name in vars(kind)), object)
        # Types written in C cannot be changed, and `object` is everybody's.
        if home is object or not home.__flags__ & _HEAP_TYPE:
            return
        original = vars(home)[name]
        is_static = isinstance(original, staticmethod)
        plain = original.__func__ if is_static else original
        if not isinstance(plain, FunctionType):
            return
        library = _library(sys.modules[home.__module__], function)
        ours: Any = self._wrapper(plain, function, library)
        self._replace(home, name, original, staticmethod(ours) if is_static else ours)

    def _known(self, function: Any) -> _Replaced | None:
        """Return where a function was found under another name before.

        A module may have got our wrapper itself from another one.
        """
        for replaced in self._replaced:
            if function is replaced.original or function is replaced.ours:
                return replaced
        return None

    def _replace(self, owner: Any, name: str, original: Any, ours: Any) -> None:
        setattr(owner, name, ours)
        self._replaced.append(_Replaced(owner, name, original, ours))

    def _wrapper(self, original: Any, function: Function, library: str) -> Any:
        inside, called, current = self._inside, self._called, cells.current

        def call(*args: Any, **kwargs: Any) -> Any:
            thread = get_ident()
            # What a library calls on the way, of its own or of another, is one access.
            if thread in inside:
                try:
                    return original(*args, **kwargs)
                except BaseException as error:
                    _leave_out_this_frame(error)
                    raise
            inside.add(thread)
            try:
                result = original(*args, **kwargs)
            except BaseException as error:
                _leave_out_this_frame(error)
                called(function, library, args, kwargs, False)
                raise
            finally:
                inside.discard(thread)
            full = self.full
            if full is not None and current() is full:
                full.dataset_log.further += 1
            else:
                called(function, library, args, kwargs, True)
            return result

        call.__code__ = _passed_over(call.__code__)
        return wraps(original)(call)


_HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: of a class made by a class statement, not of one in C."""


def _parts(module: ModuleType) -> list[ModuleType]:
    """Return the library's other modules, and the one that cells run in."""
    root = module.__name__.partition(".")[0]
    return [
        part
        for name, part in list(sys.modules.items())
        if (name == "__main__" or name.startswith(f"{root}."))
        and part is not module
        and isinstance(part, ModuleType)
    ]


def _namespaces() -> list[dict[str, Any]]:
    """Return the names of each module; none is loaded by that."""
    values: list[Any] = list(sys.modules.values())
    # Not all of them are modules; a library of cffi says that it is one, and is none.
    modules = [value for value in values if issubclass(type(value), ModuleType)]
    return [ModuleType.__getattribute__(module, "__dict__") for module in modules]


def _library(module: Any, function: Function) -> str:
    if function.name == "_modified_open":
        return "python"
    return str(module.__name__.partition(".")[0])


def _leave_out_this_frame(error: BaseException) -> None:
    """Let the traceback begin with the original's frame.

    A bare ``raise`` afterwards adds none (from Python 3.11 on).
    """
    traceback = error.__traceback__
    error.__traceback__ = traceback.tb_next if traceback is not None else None


_codes: dict[CodeType, CodeType] = {}


def _passed_over(code: CodeType) -> CodeType:
    if code not in _codes:
        _codes[code] = code.replace(co_filename=_PASSED_OVER)
    return _codes[code]
