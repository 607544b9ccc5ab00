"""What people said, kept in one file of the server's account.

::

    answers.json   0600   {"version": 1, "people": {<key of a subject>: {
                             "groups": {"executions": {"allowed": true, "at_ns": …,
                                                       "since_ns": …}},
                             "notice": {"id": …, "at_ns": …}}}}

People stand in it as keyed hashes. It is written whole and renamed into place, under a
lock that the account's servers share; each of them sees at once what another wrote.
"""

import json
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from jupyter_otel.errors import ConfigError
from jupyter_otel.schema import Group

FILE_NAME = "answers.json"

_VERSION = 1
_LOCK_S = 5.0


class Answer(NamedTuple):
    """What a person said of a group, and when."""

    allowed: bool
    at_ns: int
    since_ns: int = 0
    """Records made before it must not leave, whatever was said later."""


class Notice(NamedTuple):
    """Which notice a person was shown, and when."""

    id: str
    at_ns: int


class _Said(NamedTuple):
    groups: dict[Group, Answer]
    notice: Notice | None


_NOTHING = _Said({}, None)


class Answers:
    """People's answers, by the keys of their subjects. Safe in any thread.

    Args:
        directory: Where the file lies; None: in memory only.

    Raises:
        ConfigError: There is a file that cannot be read. What people said is not
            known then, and nothing may be guessed.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._path = None if directory is None else directory / FILE_NAME
        self._lock = threading.Lock()
        self._looks: tuple[int, ...] = ()
        self._people: dict[str, _Said] = {}
        try:
            self._read()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"OtelConsent.directory must hold answers that can be read, got "
                f"{str(self._path)!r} ({type(error).__name__}). Restore the file, or "
                "remove it: then everybody is asked again."
            ) from error

    def find(self, subject: str, group: Group) -> Answer | None:
        """Return what a person said of a group, if they did."""
        return self._people.get(subject, _NOTHING).groups.get(group)

    def notice(self, subject: str) -> Notice | None:
        """Return which notice a person was shown last."""
        return self._people.get(subject, _NOTHING).notice

    def refresh(self) -> None:
        """Take over what another process wrote. Never raises.

        What cannot be read now leaves what was known as it is.
        """
        if self._path is None or self._look() == self._looks:
            return
        try:
            with self._lock:
                self._read()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return

    def put(self, subject: str, groups: Mapping[Group, Answer]) -> None:
        """Keep answers; they hold from now on, and on disk.

        Raises:
            OSError: They cannot be written. Nothing has changed.
        """
        self._change(
            subject, lambda said: said._replace(groups=said.groups | dict(groups))
        )

    def put_notice(self, subject: str, notice: Notice) -> None:
        """Keep that a person was shown a notice.

        Raises:
            OSError: It cannot be written. Nothing has changed.
        """
        self._change(subject, lambda said: said._replace(notice=notice))

    def _change(self, subject: str, change: Callable[[_Said], _Said]) -> None:
        if self._path is None:
            self._people = self._people | {
                subject: change(self._people.get(subject, _NOTHING))
            }
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_S, mode=0o600)
        with self._lock, lock:
            self._read()
            said = change(self._people.get(subject, _NOTHING))
            people = self._people | {subject: said}
            _write(self._path, _as_json(people))
            self._people, self._looks = people, self._look()

    def _read(self) -> None:
        if self._path is None:
            return
        looks = self._look()
        text = self._path.read_text("utf-8") if looks else ""
        self._people = _people(json.loads(text)) if looks else {}
        self._looks = looks

    def _look(self) -> tuple[int, ...]:
        """Return what another version of the file would have otherwise."""
        if self._path is None:
            return ()
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_ino, found.st_mtime_ns, found.st_size)


def _people(document: Any) -> dict[str, _Said]:
    if document["version"] != _VERSION:
        raise ValueError("another version")
    return {key: _said(said) for key, said in document["people"].items()}


def _said(said: Any) -> _Said:
    groups = {Group(name): Answer(**answer) for name, answer in said["groups"].items()}
    notice = said.get("notice")
    return _Said(groups, None if notice is None else Notice(**notice))


def _as_json(people: Mapping[str, _Said]) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "people": {
            key: {
                "groups": {g.value: a._asdict() for g, a in said.groups.items()},
                "notice": None if said.notice is None else said.notice._asdict(),
            }
            for key, said in people.items()
        },
    }


def _write(path: Path, document: Mapping[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
