"""Trait types whose errors say the setting, the rule, the value and the cure.

Here is how a value is checked; which settings there are is ``config.py``. No message
repeats a header's value or the user information of a URL.
"""

import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from traitlets import (
    Bool,
    Dict,
    Enum,
    Float,
    Int,
    List,
    TraitError,
    TraitType,
    Unicode,
)

from jupyter_otel.schema import Group

_SHOWN = 120
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LATIN_LINE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_USER_INFORMATION = re.compile(r"(?<=//)[^/?#]*@|^[^/?#]*@")


def without_credentials(url: str) -> str:
    """Return a URL, or what was meant as one, without user information and query."""
    return _USER_INFORMATION.sub("***@", url.partition("?")[0].partition("#")[0])


def url_complaint(url: str) -> str | None:
    """Return the cure where a text is no ``http(s)://host`` URL, else None."""
    if "://" not in url:
        return f"Write http://{without_credentials(url)} or https://…"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "Check its host."
    try:
        _ = parts.port
    except ValueError:
        return "Its port must be a number up to 65535."
    if parts.scheme.lower() not in {"http", "https"}:
        return "For gRPC too: http:// is plain text, https:// is TLS."
    if not parts.hostname:
        return "The host is missing."
    return None


def unreadable(path: Path) -> str | None:
    """Return why a file cannot be read, else None."""
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


class _Told:
    """Says what a setting must be. Comes before the traitlets type it changes."""

    name: str | None
    this_class: Any
    rule = ""
    cure = ""

    def error(
        self,
        obj: Any,
        value: Any,
        error: Exception | None = None,  # noqa: ARG002 - traitlets' signature
        info: str | None = None,  # noqa: ARG002 - likewise
    ) -> NoReturn:
        """Raise the error of a value that breaks the rule."""
        self.refuse(obj, self.shown(value), self.cure)

    def refuse(self, obj: Any, shown: str, cure: str) -> NoReturn:
        """Raise ``Class.trait must be <rule>, got <shown>. <cure>``."""
        owner = self.this_class if obj is None else type(obj)
        message = f"{owner.__name__}.{self.name} must be {self.rule}, got {shown}."
        raise TraitError(f"{message} {cure}".rstrip())

    def shown(self, value: Any) -> str:
        """Return the value as a message may show it."""
        text = without_credentials(value) if isinstance(value, str) else value
        shown = repr(text)
        return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"


class Choice(_Told, Enum):  # type: ignore[type-arg]
    """One of a few words."""

    def __init__(self, values: Sequence[str], **kwargs: Any) -> None:
        super().__init__(values, **kwargs)
        self.rule = f"one of {', '.join(values)}"

    def error(
        self,
        obj: Any,
        value: Any,
        error: Exception | None = None,  # noqa: ARG002 - traitlets' signature
        info: str | None = None,  # noqa: ARG002 - likewise
    ) -> NoReturn:
        """Raise the error, with the nearest of the words."""
        near = get_close_matches(str(value).lower(), self.values or (), n=1, cutoff=0.7)
        cure = f"Did you mean {near[0]!r}?" if near else "Write one of these words."
        self.refuse(obj, self.shown(value), cure)


class Switch(_Told, Bool):  # type: ignore[type-arg]
    """Yes or no."""

    rule = "True or False"
    cure = "Write it without quotation marks."


class Whole(_Told, Int):  # type: ignore[type-arg]
    """A whole number from a least one on, and where allowed zero."""

    def __init__(
        self, *, least: int, or_zero: bool = False, cure: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.least, self.or_zero, self.cure = least, or_zero, cure
        self.rule = f"at least {least}{', or 0' if or_zero else ''}"

    def validate(self, obj: Any, value: Any) -> int:
        """Return the number if it is in range."""
        if isinstance(value, bool):
            self.error(obj, value)
        number: int = super().validate(obj, value)
        if number < self.least and not (self.or_zero and number == 0):
            self.error(obj, value)
        return number


class Seconds(_Told, Float):  # type: ignore[type-arg]
    """A span of time above zero, and where allowed zero."""

    cure = "Leave it out to use the default."

    def __init__(self, *, or_zero: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.or_zero = or_zero
        self.rule = f"a number of seconds {'from' if or_zero else 'above'} 0"

    def validate(self, obj: Any, value: Any) -> float:
        """Return the number if it is a span of time."""
        if isinstance(value, bool):
            self.error(obj, value)
        number: float = super().validate(obj, value)
        if not math.isfinite(number) or number < 0 or not (number or self.or_zero):
            self.error(obj, value)
        return number


class Hours(_Told, Float):  # type: ignore[type-arg]
    """A span of time, also none."""

    rule = "a number of hours from 0"
    cure = "Leave it out to use the default."

    def validate(self, obj: Any, value: Any) -> float:
        """Return the number if it is a span of time."""
        if isinstance(value, bool):
            self.error(obj, value)
        number: float = super().validate(obj, value)
        if not math.isfinite(number) or number < 0:
            self.error(obj, value)
        return number


class Text(_Told, Unicode):  # type: ignore[type-arg]
    """A text for people, or none."""

    rule = "a text"
    cure = "Write it between quotation marks."


class Names(_Told, List):  # type: ignore[type-arg]
    """A list of schema ids or globs."""

    rule = "a list of schema ids or globs"
    cure = "Write each between quotation marks, all between brackets."

    def validate_elements(self, obj: Any, value: Any) -> Any:
        """Return the list if all of it is text."""
        if not all(isinstance(item, str) and item for item in value):
            self.error(obj, value)
        return list(value)


class Places(_Told, List):  # type: ignore[type-arg]
    """A list of paths."""

    rule = "a list of paths"
    cure = "Write each between quotation marks, all between brackets."

    def validate_elements(self, obj: Any, value: Any) -> Any:
        """Return the paths, with ``~`` resolved."""
        if not all(isinstance(item, (str, Path)) and str(item) for item in value):
            self.error(obj, value)
        return [Path(item).expanduser() for item in value]


class Place(_Told, TraitType[Path, Any]):
    """A path; nothing need be there yet.

    Args:
        usual: Gives the default, which depends on Jupyter's directories.
    """

    rule = "a path"
    cure = "Write it between quotation marks."

    def __init__(self, usual: Callable[[], Path], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._usual = usual

    def default(self, obj: Any = None) -> Path:  # noqa: ARG002 - traitlets' signature
        """Return the default as it is now."""
        return self._usual()

    def default_value_repr(self) -> str:
        """Return the default as a configuration file would write it, ``~`` for home."""
        path = self._usual()
        with suppress(ValueError, RuntimeError):
            path = "~" / path.relative_to(Path.home())
        return repr(str(path))

    def validate(self, obj: Any, value: Any) -> Path:
        """Return the path, with ``~`` resolved."""
        if not isinstance(value, (str, Path)) or not str(value):
            self.error(obj, value)
        return Path(value).expanduser()


class ReadableFile(_Told, TraitType[Path | None, Any]):
    """The path of a file that is there and can be read; unset is None."""

    rule = "a file that can be read"
    cure = "Write its path between quotation marks."
    default_value = None
    allow_none = True

    def validate(self, obj: Any, value: Any) -> Path:
        """Return the path, with ``~`` resolved, if the file can be opened."""
        if not isinstance(value, (str, Path)) or not str(value):
            self.error(obj, value)
        path = Path(value).expanduser()
        if why := unreadable(path):
            cure = f"{why}: correct the path or let this account read it."
            self.refuse(obj, self.shown(str(value)), cure)
        return path


class BaseUrl(_Told, TraitType[str | None, Any]):
    """An ``http://`` or ``https://`` URL."""

    rule = "a URL that begins with http:// or https://"
    cure = "Write for example http://localhost:4318."
    default_value = None
    allow_none = True

    def validate(self, obj: Any, value: Any) -> str:
        """Return the URL if it has a scheme and a host."""
        if not isinstance(value, str):
            self.error(obj, value)
        if cure := url_complaint(value):
            self.refuse(obj, self.shown(value), cure)
        return value


class PolicyUrl(BaseUrl):
    """The URL of a page for people."""

    cure = "Write for example https://example.org/privacy."


class Headers(_Told, Dict):
    """Header names and values. Unset is None, which an empty mapping is not."""

    rule = "a mapping of header names to text"
    cure = "Write for example {'x-tenant': 'physics'}."

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_value=None, allow_none=True, **kwargs)

    def validate_elements(self, obj: Any, value: Any) -> Any:
        """Return the headers if each is a name and a line of text."""
        if not all(map(is_header, value, value.values())):
            self.error(obj, value)
        return dict(value)

    def shown(self, value: Any) -> str:
        """Return what kind of value it is: the value may be a secret."""
        if isinstance(value, dict):
            return "one with something else in it"
        return f"a {type(value).__name__}"


def is_header(name: Any, value: Any) -> bool:
    """Return whether these may be sent as a header: a token, and a Latin-1 line."""
    if not isinstance(name, str) or not isinstance(value, str):
        return False
    return bool(_TOKEN.fullmatch(name) and _LATIN_LINE.fullmatch(value))


class ConsentModes(_Told, Dict):
    """Group of schemas → mode of consent."""

    rule = "a mapping of groups to modes"
    cure = (
        f"Groups: {', '.join(Group)}. Modes: opt_in, opt_out, mandatory; "
        "of security: mandatory, off."
    )

    def validate_elements(self, obj: Any, value: Any) -> Any:
        """Return the modes if every group has one that it may have."""
        if not all(map(_is_mode, value, value.values())):
            self.error(obj, value)
        return dict(value)


def _is_mode(group: Any, mode: Any) -> bool:
    if group == Group.SECURITY:
        return mode in {"mandatory", "off"}
    return group in set(Group) and mode in {"opt_in", "opt_out", "mandatory"}
