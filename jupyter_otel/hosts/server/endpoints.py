"""``otel/v1/…``: what a server answers about its own collection, as JSON.

Under Jupyter's own authentication, authorizer (resource ``otel``) and XSRF check.
None of these requests counts as activity: asking keeps no server alive.
"""

import json
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

if TYPE_CHECKING:  # what only a server that collects needs
    from jupyter_otel.hosts.server.collection import Collection


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
    """Which schemas are collected under the live policy."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Answer with a list, empty at level ``none``."""
        telemetry = self.collection.telemetry
        schemas = []
        if telemetry.enabled:
            admitted = filter(telemetry.intake.admits, telemetry.catalog.schemas())
            schemas = sorted(
                ({"id": s.id, "group": s.overlay.group} for s in admitted),
                key=lambda schema: schema["id"],
            )
        level = telemetry.settings.policy.level
        self.answer({"level": level, "schemas": schemas})


class ConsentHandler(OtelHandler):
    """How consent is asked for."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Answer with the modes, empty at level ``none``."""
        telemetry = self.collection.telemetry
        consent = telemetry.settings.consent
        groups = dict(consent.groups) if telemetry.enabled else {}
        self.answer({"mode": consent.mode, "groups": groups})


def routes(owner: Owner) -> list[tuple[str, type[OtelHandler], Any]]:
    """Return the routes, for the collection of one server."""
    given = {"owner": owner}
    return [
        ("/otel/v1/status", StatusHandler, given),
        ("/otel/v1/collected", CollectedHandler, given),
        ("/otel/v1/consent", ConsentHandler, given),
    ]
