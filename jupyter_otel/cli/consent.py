"""``jupyter otel consent``: what this account says about its own records.

Running servers of the account are asked over HTTP, as its front ends do. Where none
runs the answer is kept on disk, for the next one.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import requests
from traitlets.config import Config

from jupyter_otel._version import __version__
from jupyter_otel.cli.status import Server, asked, running_servers
from jupyter_otel.cli.tables import table
from jupyter_otel.errors import ConfigError
from jupyter_otel.schema import Group
from jupyter_otel.setting_types import without_credentials

_TIMEOUT_S = 15.0
_NOT_FOUND, _CONFLICT = 404, 409
_ASKING = {"opt_in", "opt_out"}
_NO_SERVER = "no server runs; kept for the next one"


class Reply(NamedTuple):
    """What one server answered."""

    url: str | None
    """None: no server runs."""
    consent: dict[str, Any] | None
    """As ``otel/v1/consent`` answers."""
    error: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("action", choices=("show", "grant", "withdraw"))
    parser.add_argument(
        "groups",
        metavar="GROUP",
        nargs="*",
        type=_group,
        help=f"{', '.join(Group)} (default: all that you are asked about)",
    )
    parser.add_argument("--url", help="this server only, not all that run here")
    parser.add_argument("--token", help="its token (default: as for status)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = (
        "Withdrawing erases what waits to be sent, and what is kept of it to read. "
        f"{parser.epilog}"
    )


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Show or change; 1 where a server did not do it."""
    servers = asked(arguments) if arguments.url else list(running_servers())
    replies = [_reply_of(server, arguments) for server in servers]
    if not servers:
        replies = [_reply_of_account(arguments, config)]
    if arguments.json:
        shown = {"servers": [reply._asdict() for reply in replies]}
        sys.stdout.write(f"{json.dumps(shown, indent=2)}\n")
    else:
        sys.stdout.write("\n".join(map(_text, replies)))
    return int(any(reply.error for reply in replies))


def _group(name: str) -> Group:
    try:
        return Group(name)
    except ValueError:
        groups = ", ".join(Group)
        raise argparse.ArgumentTypeError(
            f"must be one of {groups}, got {name!r}"
        ) from None


def _reply_of(server: Server, arguments: argparse.Namespace) -> Reply:
    shown_url = without_credentials(server.url)
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc, for a server's own token
        session.headers["User-Agent"] = f"jupyter-otel/{__version__}"
        if server.token:
            session.headers["Authorization"] = f"token {server.token}"
        try:
            url = f"{server.url.rstrip('/')}/otel/v1/consent"
            consent = _call(session, "GET", url)
            wanted = _wanted(arguments, consent)
            if wanted:
                consent = _call(session, "PUT", url, {"groups": wanted})
            return Reply(shown_url, consent)
        except _RefusedError as error:
            return Reply(shown_url, None, str(error))
        except (requests.RequestException, ValueError) as error:
            return Reply(shown_url, None, f"no answer ({type(error).__name__})")


class _RefusedError(Exception):
    """A server does not do it; the message says why."""


def _call(session: requests.Session, method: str, url: str, body: Any = None) -> Any:
    answer = session.request(
        method, url, json=body, timeout=_TIMEOUT_S, allow_redirects=False
    )
    if answer.ok and not answer.is_redirect:
        return answer.json()
    if answer.status_code == _CONFLICT:
        raise _RefusedError(answer.json()["message"])
    if answer.status_code == _NOT_FOUND:
        raise _RefusedError("no otel/v1/consent there: the extension is not enabled")
    raise _RefusedError(
        f"HTTP {answer.status_code}: give --token; `jupyter server list` shows it"
    )


def _wanted(arguments: argparse.Namespace, consent: dict[str, Any]) -> dict[str, bool]:
    """Return the answer of each group that the command line means."""
    if arguments.action == "show":
        return {}
    groups = arguments.groups or [
        name for name, group in consent["groups"].items() if group["mode"] in _ASKING
    ]
    return {str(name): arguments.action == "grant" for name in groups}


def _reply_of_account(arguments: argparse.Namespace, config: Config) -> Reply:
    """Do it here, as a server would that has just started."""
    from jupyter_otel.choices import NotAskedError  # noqa: PLC0415 - heavy, if used
    from jupyter_otel.event import ACCOUNT  # noqa: PLC0415 - ditto
    from jupyter_otel.hosts.server.dialogue import Dialogue  # noqa: PLC0415 - ditto
    from jupyter_otel.telemetry import Telemetry  # noqa: PLC0415 - ditto

    with Telemetry(config, source="server") as telemetry:
        dialogue = Dialogue(telemetry, None, ACCOUNT)
        wanted = _wanted(arguments, dialogue.consent())
        if not wanted and arguments.action != "show" and telemetry.choices is None:
            return Reply(None, None, "nothing is collected, so nobody is asked")
        try:
            if wanted and telemetry.choices is not None:
                answers = {Group(name): allowed for name, allowed in wanted.items()}
                telemetry.choices.change(ACCOUNT, answers, by="command_line")
        except NotAskedError as error:
            return Reply(None, None, str(error))
        except OSError as error:
            raise ConfigError(
                f"OtelConsent.directory must be writable: {error.strerror}."
            ) from error
        return Reply(None, dialogue.consent())


def _text(reply: Reply) -> str:
    return "".join(_lines(reply))


def _lines(reply: Reply) -> Iterator[str]:
    yield f"{reply.url or _NO_SERVER}\n"
    if reply.consent is None:
        yield f"Not done: {reply.error}\n"
        return
    if not reply.consent["groups"]:
        yield "Nothing is collected.\n"
        return
    notice = reply.consent["notice"]
    for told in ("text", "contact", "policy_url"):
        if notice[told]:
            yield f"{notice[told]}\n"
    rows = [_row(name, group) for name, group in reply.consent["groups"].items()]
    yield table(("GROUP", "WHO DECIDES", "YOU SAID", "YOURS LEAVES"), rows)


def _row(name: str, group: dict[str, Any]) -> tuple[str, ...]:
    said = {None: "-", True: "yes", False: "no"}[group["choice"]]
    leaves = "yes" if group["allowed"] else "no"
    if group["allowed"] and not group["collects"]:
        leaves = "nothing is collected"
    return (name, group["mode"], said, leaves)
