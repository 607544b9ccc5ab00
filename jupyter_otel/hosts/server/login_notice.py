"""The deployment's notice on the server's own sign-in page.

A template over Jupyter Server's, and a variable for it: both where the server takes
them from extensions and administrators. An administrator's own sign-in page goes first.
"""

from pathlib import Path
from typing import Any

from jupyter_server import DEFAULT_TEMPLATE_PATH_LIST

from jupyter_otel.consent_config import OtelConsent

_TEMPLATES = str(Path(__file__).with_name("templates") / "login")


def show_notice_at_login(web_settings: dict[str, Any], consent: OtelConsent) -> None:
    """Show people what they are told before they sign in, if they are told anything.

    Args:
        web_settings: Of the server's web application.
        consent: What people are told.
    """
    if not consent.notice:
        return
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
