"""``jupyter otel status``: the books of running servers, the spools of dead ones."""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import requests
from jupyter_core.paths import jupyter_runtime_dir
from traitlets.config import Config

from jupyter_otel.cli.reasons import cure
from jupyter_otel.cli.spools import SpoolState, read_spools, spool_table
from jupyter_otel.cli.tables import table
from jupyter_otel.config import read_settings
from jupyter_otel.errors import ConfigError
from jupyter_otel.setting_types import url_complaint, without_credentials

_TIMEOUT_S = 5.0
_NOT_FOUND, _FORBIDDEN = 404, (401, 403)


_BOOKS = (
    "ACCEPTED = SENT + PENDING + AGGREGATED + DROPPED. PENDING records wait in the "
    "spool; AGGREGATED ones were folded into one record a window; REFUSED ones were "
    "never accepted, by level or exclusion."
)


class Server(NamedTuple):
    """A running Jupyter Server, as its runtime file describes it."""

    url: str
    token: str


class Answer(NamedTuple):
    """What a server said about itself."""

    url: str
    status: Mapping[str, Any] | None
    error: str | None

    def to_json(self) -> dict[str, object]:
        """Return the object that ``status --json`` prints for a server."""
        return {"url": self.url, "status": self.status, "error": self.error}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument("--url", help="ask this server, not those that run here")
    parser.add_argument(
        "--token", help="its token (default: $JUPYTER_TOKEN, or the server's own file)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = f"{_BOOKS} {parser.epilog}"


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Print what servers answer and what waits; 1 where a named server does not."""
    directory = read_settings(config).spool.directory
    servers = asked(arguments) if arguments.url else list(running_servers())
    answers = [ask(server) for server in servers]
    spools = [] if arguments.url else read_spools(directory)
    if arguments.json:
        sys.stdout.write(f"{json.dumps(_document(answers, spools), indent=2)}\n")
    else:
        sys.stdout.write(_text(answers, spools, directory))
    return int(bool(arguments.url) and answers[0].status is None)


def running_servers() -> Iterator[Server]:
    """Yield the servers of this account, by their runtime files.

    One that was killed leaves its file, and its token must not be told to whoever
    listens on its port now.
    """
    for path in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            about = json.loads(path.read_text("utf-8"))
            if _lives(about["pid"]):
                yield Server(about["url"], about.get("token", ""))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being written or removed at this moment


def _lives(process_id: int) -> bool:
    """Return whether there is such a process."""
    if os.name == "nt":
        return True  # asking would interrupt it
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's: the number is used again
        return False
    return True


def ask(server: Server) -> Answer:
    """Return a server's status, or why there is none."""
    url = without_credentials(server.url)
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc, for a server's own token
        headers = {"Authorization": f"token {server.token}"} if server.token else {}
        try:
            response = session.get(
                f"{server.url.rstrip('/')}/otel/v1/status",
                headers=headers,
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
            return _answer(url, response, has_token=bool(server.token))
        except (requests.RequestException, ValueError) as error:
            why = f"no answer ({type(error).__name__}): is the server running there?"
            return Answer(url, None, why)


def _answer(url: str, response: requests.Response, *, has_token: bool) -> Answer:
    if response.status_code == _NOT_FOUND:
        why = (
            "no otel/v1/status there: the extension is not enabled. Run "
            "`jupyter server extension enable jupyter_otel` and start the server again."
        )
        return Answer(url, None, why)
    if response.status_code in _FORBIDDEN or response.is_redirect:
        said = "is not right" if has_token else "is missing"
        why = f"the token {said}: give --token; `jupyter server list` shows it."
        return Answer(url, None, why)
    if not response.ok:
        return Answer(
            url, None, f"it answers HTTP {response.status_code}: see its log."
        )
    return Answer(url, response.json(), None)


def asked(arguments: argparse.Namespace) -> list[Server]:
    """Return the server that ``--url`` names, with the token that opens it.

    Raises:
        ConfigError: It is no URL.
    """
    if why := url_complaint(arguments.url):
        shown = without_credentials(arguments.url)
        raise ConfigError(
            f"--url must be a URL that begins with http:// or https://, got {shown!r}. "
            f"{why}"
        )
    url, _, query = arguments.url.partition("?")
    token = arguments.token or os.environ.get("JUPYTER_TOKEN") or _token_in(query)
    return [Server(url, token or _known_token(url))]


def _token_in(query: str) -> str:
    """Return the token of a URL as the server prints it when it starts."""
    words = dict(word.partition("=")[::2] for word in query.split("&"))
    return words.get("token", "")


def _known_token(url: str) -> str:
    for server in running_servers():
        if server.url.rstrip("/") == url.rstrip("/"):
            return server.token
    return ""


def _document(answers: list[Answer], spools: list[SpoolState]) -> dict[str, object]:
    return {
        "servers": [answer.to_json() for answer in answers],
        "spools": [spool.to_json() for spool in spools],
    }


def _text(answers: list[Answer], spools: list[SpoolState], directory: Path) -> str:
    blocks = [_server_text(answer) for answer in answers]
    if not answers:
        blocks.append("No Jupyter Server of this account is running.\n")
    if spools:
        blocks.append(spool_table(directory, spools))
    waiting = sum(spool.records for spool in spools)
    if waiting and not answers:
        records = "1 record waits" if waiting == 1 else f"{waiting} records wait"
        blocks.append(f"{records}; the next server sends what waits.\n")
    return "\n".join(blocks)


def _server_text(answer: Answer) -> str:
    if answer.status is None:
        return f"{answer.url}: {answer.error}\n"
    status = answer.status
    lines = [f"{answer.url}: level {status.get('level')}\n"]
    if status.get("error"):
        lines.append(
            f"Nothing is collected until this is corrected: {status['error']}\n"
        )
    lines.append(_books(status))
    for signal, name in (status.get("destinations") or {}).items():
        lines.append(f"{signal} go to {name}\n")
    for signal, error in (status.get("last_error") or {}).items():
        lines.append(f"{signal}: {error}\n" if error else "")
    lines += [f"Warning: {warning}\n" for warning in status.get("warnings") or ()]
    return "".join(lines)


def _books(status: Mapping[str, Any]) -> str:
    head = ("SIGNAL", "ACCEPTED", "SENT", "PENDING", "AGGREGATED", "DROPPED", "REFUSED")
    rows: list[tuple[str, ...]] = []
    reasons: Counter[str] = Counter()
    for signal, books in status.get("signals", {}).items():
        counts = [str(books[name.lower()]) for name in head[1:5]]
        sums = [str(sum(books[name].values())) for name in ("dropped", "refused")]
        rows.append((signal, *counts, *sums))
        reasons.update(books["dropped"])
        reasons.update(books["refused"])
    hints = [
        f"{count} {reason}: {cure(reason)}\n"
        for reason, count in sorted(reasons.items())
    ]
    return table(head, rows) + "".join(hints)
