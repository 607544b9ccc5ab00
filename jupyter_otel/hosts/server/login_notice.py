"""The deployment's notice on the server's own sign-in page.

A template over Jupyter Server's, and a variable for it: both where the server takes
them from extensions and administrators. An administrator's own sign-in page goes first.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_server import DEFAULT_TEMPLATE_PATH_LIST

from jupyter_otel.choices import Choices
from jupyter_otel.consent_config import OtelConsent
from jupyter_otel.event import Person
from jupyter_otel.hosts.server.people import People
from jupyter_otel.sources.faults import HookEdge
from jupyter_otel.sources.request_log import watch_log
from jupyter_otel.sources.sign_in_reading import SignInReader
from jupyter_otel.telemetry import Telemetry

_TEMPLATES = str(Path(__file__).with_name("templates") / "login")
_EDGE = HookEdge("the notice at the sign-in")


def show_notice_at_login(serverapp: Any, telemetry: Telemetry) -> None:
    """Show people what they are told before they sign in, if they are told anything.

    Who then signs in by that page's form has been shown it, and that is kept.
    """
    consent, choices = telemetry.settings.consent, telemetry.choices
    settings = serverapp.web_app.settings
    if not consent.notice or choices is None:
        return
    _put_on_page(settings, consent)
    provider = serverapp.identity_provider
    reader, person = SignInReader(provider), People(provider).person
    watch_log(settings, partial(_watch, choices, reader, person))


def _watch(
    choices: Choices,
    reader: SignInReader,
    person: Callable[[Any], Person],
    handler: Any,
) -> None:
    """Keep that whoever signs in with this request was shown the notice."""
    if reader.came_by_form(handler):
        # It is written to disk, for which the event loop does not wait.
        run = asyncio.get_running_loop().run_in_executor
        run(None, _keep, choices, person(handler))


def _keep(choices: Choices, person: Person) -> None:
    with _EDGE:
        choices.notice_shown(person, by="sign_in")


def _put_on_page(web_settings: dict[str, Any], consent: OtelConsent) -> None:
    search = web_settings["jinja2_env"].loader.searchpath
    own = [search.index(path) for path in DEFAULT_TEMPLATE_PATH_LIST if path in search]
    search.insert(min(own, default=len(search)), _TEMPLATES)
    variables = web_settings["jinja_template_vars"]
    web_settings["jinja_template_vars"] = {
        **variables,
        "otel_notice": {
            "paragraphs": consent.notice.split("\n\n"),
            "contact": consent.contact,
            "policy_url": consent.policy_url,
        },
    }
