"""Which notebook a kernel runs for, by the server's table of sessions."""

import re
import sqlite3
from typing import Any

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# A front end that has no path yet opens its session under a made-up one.
_MADE_UP = re.compile(rf"(?:.*/)?{_UUID}")
# VS Code marks its sessions: a.ipynb becomes a-jvsc-<uuid>.ipynb.
_MARK = re.compile(rf"-jvsc-{_UUID}")
_TABLE = "SELECT 1 FROM sqlite_master WHERE name = 'session'"
_QUERY = "SELECT path FROM session WHERE kernel_id = ? AND type = 'notebook'"


class NotebookPaths:
    """Looks up notebook paths in a session manager.

    `SessionManager.get_session` would await and may delete rows on the way; the
    table itself answers in microseconds, and a renamed notebook is seen at once.
    """

    def __init__(self, session_manager: Any) -> None:
        self._session_manager = session_manager
        self._has_table = False

    def __call__(self, kernel_id: str) -> str | None:
        """Return the path, relative to the server's root; None where there is none."""
        connection = getattr(self._session_manager, "connection", None)
        if connection is None:
            return None
        try:
            # No session was ever made, so there is no table yet: asking for it all the
            # same would cost more than the rest of an execution.
            if not self._has_table:
                self._has_table = connection.execute(_TABLE).fetchone() is not None
            if not self._has_table:
                return None
            row = connection.execute(_QUERY, (kernel_id,)).fetchone()
        except sqlite3.Error:  # the server's own: it may be of any form
            return None
        return notebook_path(row[0]) if row else None


def notebook_path(session_path: object) -> str | None:
    """Return the notebook's path as its user knows it."""
    if not isinstance(session_path, str) or _MADE_UP.fullmatch(session_path):
        return None
    return _MARK.sub("", session_path) or None
