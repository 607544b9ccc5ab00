"""``otel/…``: the requests that a server answers about its own collection.

Under Jupyter's own authentication, authorizer (resource ``otel``) and XSRF check.
None of these requests counts as activity: asking keeps no server alive. What is said
to single people is in ``dialogue.py``, which only a request for it loads.
"""

import json
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado import web

if TYPE_CHECKING:  # what only a server that collects needs
    from jupyter_otel.hosts.server.collection import Collection
    from jupyter_otel.hosts.server.dialogue import Dialogue

MAX_RECORDS = 1000
_USUAL_RECORDS = 100
_RECORDS_ON_PAGE = 20


class Owner(Protocol):
    """Who has the collection, and opens it when it is first asked for."""

    @property
    def collection(self) -> "Collection":
        """Return it."""


class OtelHandler(APIHandler):
    """What all of them share."""

    auth_resource = "otel"
    _track_activity = False

    def initialize(self, owner: Owner) -> None:
        """Take what the route gives each of them."""
        self.owner = owner

    @property
    def collection(self) -> "Collection":
        """What they tell about."""
        return self.owner.collection

    @property
    def dialogue(self) -> "Dialogue":
        """What is between the collection and the caller."""
        return self.collection.dialogue(self)

    def answer(self, body: dict[str, Any]) -> None:
        """Send a JSON object."""
        self.finish(json.dumps(body))


class StatusHandler(OtelHandler):
    """The books, the spool, the destinations, the last errors."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Answer with the state of this moment."""
        self.answer(self.collection.status())


class CollectedHandler(OtelHandler):
    """What is collected under the live policy, and what is done to it."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Answer with it; at level ``none`` without schemas."""
        self.answer(self.collection.telemetry.collected().to_json())


class ConsentHandler(OtelHandler):
    """Who is asked about what, and what the caller said."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Answer with modes, notice and choices; at level ``none`` without groups."""
        self.answer(self.dialogue.consent())

    @web.authenticated
    @authorized
    async def put(self) -> None:
        """Keep what the caller says, and answer as GET does."""
        agent = self.request.headers.get("User-Agent", "")
        by = "command_line" if agent.startswith("jupyter-otel/") else "front_end"
        dialogue = self.dialogue
        await dialogue.keep_body(self.get_json_body(), by=by)
        self.answer(dialogue.consent())


class RecentHandler(OtelHandler):
    """The caller's own records that left lately."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Answer with the last of them, the newest first."""
        self.answer(self.dialogue.recent(_limit(self, usual=_USUAL_RECORDS)))


class PageHandler(JupyterHandler):
    """The page for people: HTML alone, so that it works without scripts."""

    auth_resource = "otel"
    _track_activity = False

    def initialize(self, owner: Owner) -> None:
        """Take what the route gives."""
        self.owner = owner

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Show the page, and keep that its notice was shown."""
        is_saved = self.get_query_argument("saved", None) is not None
        limit = _limit(self, usual=_RECORDS_ON_PAGE)
        dialogue = self.owner.collection.dialogue(self)
        page = dialogue.page(limit=limit, saved=is_saved)
        await dialogue.keep({}, by="page", notice_shown=True)
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        template = self.settings["jinja2_env"].from_string(page.template)
        self.finish(template.render(**self.template_namespace | page.values))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Keep the form's answers, and show the page again."""
        dialogue = self.owner.collection.dialogue(self)
        await dialogue.keep_form(self.get_body_argument)
        self.redirect(f"{self.base_url}otel?saved=", status=303)


def routes(owner: Owner) -> list[tuple[str, type[JupyterHandler], Any]]:
    """Return the routes, for the collection of one server."""
    given = {"owner": owner}
    return [
        ("/otel/v1/status", StatusHandler, given),
        ("/otel/v1/collected", CollectedHandler, given),
        ("/otel/v1/consent", ConsentHandler, given),
        ("/otel/v1/recent", RecentHandler, given),
        ("/otel/?", PageHandler, given),
    ]


def _limit(handler: JupyterHandler, *, usual: int) -> int:
    """Return how many records a request asks for."""
    text = handler.get_query_argument("limit", str(usual))
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_RECORDS:
        return int(text)
    raise web.HTTPError(400, f"limit must be a number from 1 to {MAX_RECORDS}.")
