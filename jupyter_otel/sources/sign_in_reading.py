"""What a request that is over says about signing in: to a server, or out of it.

Read are its status, the classes that answered it and whether something was offered;
never a token, a password, a user name, a URL or a cookie's value.

::

    form posted ──▶ 3xx login            401, 403 login_failed
    token given ──▶ user   accepted      nobody   login_failed
    anything    ──▶ 401, 403 forbidden
"""

import re
from enum import StrEnum
from typing import Any, NamedTuple

from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.websocket import WebSocketHandler


class Act(StrEnum):
    """What somebody did, or tried."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    FORBIDDEN = "forbidden"
    ACCEPTED = "accepted"
    """A token came with a request and was good: a sign-in or one call of many."""


FAILURES = frozenset({Act.LOGIN_FAILED, Act.FORBIDDEN})

_PASSWORD, _TOKEN, _NOTHING = "password", "token", "none"
_REFUSED = frozenset({401, 403})
_REDIRECTS = range(300, 400)
_SUCCESSES = range(200, 300)
_NOT_ASKED = object()
_WITH_TOKEN = re.compile(r"(?:token|bearer)\s", re.IGNORECASE)


class Reading(NamedTuple):
    """What one request says."""

    act: Act
    method: str | None
    """What was offered; None where it cannot be told."""
    is_strangers: bool = False
    """Whether nobody knows who it was."""


class SignInReader:
    """Reads the requests of one server.

    Args:
        provider: The server's identity provider.
    """

    def __init__(self, provider: Any) -> None:
        self._provider = provider

    def read(self, handler: Any) -> Reading | None:
        """Return what a request that is over says; None: nothing about signing in."""
        status = handler.get_status()
        if self._is_form(handler):
            return self._read_form(handler, status)
        user = _user(handler)
        if isinstance(handler, self._provider.logout_handler_class):
            is_logout = user is not None and status < min(_REFUSED)
            return Reading(Act.LOGOUT, None) if is_logout else None
        if _was_asked(handler, user) and _offers_token(handler.request):
            return self._read_token(handler, status, user)
        if status in _REFUSED:
            return _forbidden(user)
        return None

    def came_by_form(self, handler: Any) -> bool:
        """Return whether a request signed somebody in by the sign-in page's form."""
        return self._is_form(handler) and handler.get_status() in _REDIRECTS

    def _is_form(self, handler: Any) -> bool:
        is_page = isinstance(handler, self._provider.login_handler_class)
        return is_page and handler.request.method == "POST"

    def _read_form(self, handler: Any, status: int) -> Reading | None:
        method = self._form_method()
        if status in _REFUSED:
            return _failed(method)
        if status in _REDIRECTS:
            return Reading(Act.LOGIN, method)
        if status in _SUCCESSES:  # the form once more, if nobody came of it
            is_back = _user(handler) is None
            return _failed(method) if is_back else Reading(Act.LOGIN, method)
        return None

    def _read_token(self, handler: Any, status: int, user: object) -> Reading | None:
        if user is None:
            return _failed(_TOKEN)
        if status in _REFUSED:
            return Reading(Act.FORBIDDEN, _TOKEN)
        if not handler.token_authenticated:
            return None
        act = Act.LOGIN if self._begins_visit(handler) else Act.ACCEPTED
        return Reading(act, _TOKEN)

    def _begins_visit(self, handler: Any) -> bool:
        """Return whether a browser came with ``?token=`` and leaves with a cookie."""
        if isinstance(handler, (APIHandler, WebSocketHandler)):
            return False
        # tornado has no public word for the cookies of an answer.
        given = getattr(handler, "_new_cookie", {})
        cookie = given.get(self._provider.get_cookie_name(handler))
        is_given = cookie is not None and bool(cookie.value)
        return is_given and "token" in handler.request.query_arguments

    def _form_method(self) -> str | None:
        """Return what the server's form takes; None where it may be one of two."""
        provider = self._provider
        if not provider.auth_enabled:
            return _NOTHING
        read_form = type(provider).process_login_form
        if read_form.__module__ != IdentityProvider.__module__:
            return None
        takes_password = bool(getattr(provider, "hashed_password", ""))
        if takes_password and provider.token:
            return None
        return _PASSWORD if takes_password else _TOKEN


def _failed(method: str | None) -> Reading:
    return Reading(Act.LOGIN_FAILED, method, is_strangers=True)


def _forbidden(user: object) -> Reading:
    if user is None:
        return Reading(Act.FORBIDDEN, _NOTHING, is_strangers=True)
    return Reading(Act.FORBIDDEN, None, is_strangers=user is _NOT_ASKED)


def _user(handler: Any) -> object:
    """Return who signed in, None for nobody."""
    try:
        user: object = handler.current_user
    except RuntimeError:  # refused before the server looked who it is
        return _NOT_ASKED
    return user


def _was_asked(handler: Any, user: object) -> bool:
    return isinstance(handler, JupyterHandler) and user is not _NOT_ASKED


def _offers_token(request: Any) -> bool:
    if "token" in request.query_arguments:
        return True
    authorization = request.headers.get("Authorization", "")
    return _WITH_TOKEN.match(authorization) is not None
