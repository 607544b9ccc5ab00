"""Whose an event of a Jupyter Server is, by the server's own authentication.

Nothing here is taken from a payload. Where the server knows only that somebody has
the token, the person is the server's own account and has no name.
"""

import os
from collections.abc import Mapping
from typing import Any

from jupyter_server import CallContext
from jupyter_server.auth.identity import IdentityProvider

from jupyter_otel.event import ACCOUNT, NOBODYS, Attribution, Person
from jupyter_otel.sources.request_spans import RequestSpans

_NAMED = "user:"
"""Stands before names, so that nobody's name can make them the account."""

_HUB = "JUPYTERHUB_API_URL"
_OWNER = "JUPYTERHUB_USER"

# A provider that gives people names of their own has one of these from elsewhere.
_NAMING = (
    "get_user",
    "get_user_token",
    "get_user_cookie",
    "generate_anonymous_user",
    "process_login_form",
)


class People:
    """Tells whose a request is. Cheap: it is asked at every event.

    Args:
        provider: The server's identity provider.
        environ: Where a Hub shows itself.
        spans: Of requests, where these are spans.
    """

    def __init__(
        self,
        provider: object,
        environ: Mapping[str, str] = os.environ,
        spans: RequestSpans | None = None,
    ) -> None:
        self._spans = spans
        self._are_named = names_people(provider)
        # Under a Hub the relay names people; a user server sends no identity.
        self._under_hub = _HUB in environ

    def attribution(self) -> Attribution:
        """Return whose the request is that is being served in this context; its span.

        Tasks and timers keep the context of the request that started them: the
        culler is no act of whoever once started a kernel.
        """
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        # tornado has no public word for it.
        if handler is None or handler._finished:  # noqa: SLF001
            return NOBODYS
        span = None if self._spans is None else self._spans.of(handler)
        return Attribution(person=self.person(handler), span=span)

    def person(self, handler: Any) -> Person:
        """Return whose the request is that this handler serves."""
        name = _user_name(handler) if self._are_named else None
        if name is None:
            return ACCOUNT
        return Person(f"{_NAMED}{name}", None if self._under_hub else name)


def account_of(
    provider: object, environ: Mapping[str, str] = os.environ
) -> Person | None:
    """Return whose is what the server's account does outside of any request.

    Under a Hub it is the one person's whose server it is. Where a server knows several
    people by name it is nobody's.
    """
    if not names_people(provider):
        return ACCOUNT
    owner = environ.get(_OWNER) if _HUB in environ else None
    return Person(f"{_NAMED}{owner}", None) if owner else None


def names_people(provider: object) -> bool:
    """Return whether an identity provider gives people lasting names.

    jupyter_server's own ones do not: a token or a shared password says nothing of
    who sent it, and they make a random name up for each request or browser.
    """
    methods = (getattr(type(provider), name, None) for name in _NAMING)
    own = IdentityProvider.__module__
    return any(getattr(method, "__module__", own) != own for method in methods)


def _user_name(handler: Any) -> str | None:
    try:
        user = handler.current_user
    except RuntimeError:  # asked before the server had authenticated the request
        return None
    name = getattr(user, "username", None)
    return name if isinstance(name, str) and name else None


def name_of(person: Person) -> str | None:
    """Return the name that a person goes by at this server; None: the account."""
    return person.subject.removeprefix(_NAMED) if person != ACCOUNT else None
