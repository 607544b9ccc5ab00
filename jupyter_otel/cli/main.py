"""``jupyter otel``: find the command, read the configuration, say what went wrong.

Exit status: 0 done, 1 a check failed, 2 bad use or configuration. Data goes to
standard output, errors to standard error.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from traitlets.config import Config

from jupyter_otel._version import __version__
from jupyter_otel.cli.configuration import add_config_option, command_line_settings
from jupyter_otel.config_files import load_configuration
from jupyter_otel.errors import JupyterOtelError

FAILED = 1
BAD_USE = 2

_COMMANDS = {
    "demo": "run a real server and notebook, and show what is recorded of it",
    "init": "print a commented, working configuration",
    "doctor": "check configuration, endpoint, spool and schemas; say each cure",
    "schemas": "list, show and check event schemas",
    "preview": "show what would be exported of events, without sending any",
    "consent": "show, give or withdraw your consent to what is collected of you",
    "privacy-sheet": "say what the live policy collects, for people who must know",
    "hash": "show what values leave as under the key, and find those of a hash",
    "emit": "send one event",
    "events": "list the events that the embedded default has written",
    "traces": "draw the traces that the embedded default has written",
    "status": "show the books of running servers, or of the spools on this machine",
    "spool": "list, send or drop what waits on disk",
}


class Command(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's own arguments."""

    def run(self, arguments: argparse.Namespace, config: Config) -> int:
        """Do it; return the exit status."""


class _Call(NamedTuple):
    """A command line, understood."""

    command: Command
    arguments: argparse.Namespace
    config: Config


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    for stream in (sys.stdout, sys.stderr):  # a terminal need not know every letter
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        call = _read(list(sys.argv[1:] if argv is None else argv))
        return call.command.run(call.arguments, call.config)
    except JupyterOtelError as error:
        sys.stderr.write(f"jupyter otel: {error}\n")
        return BAD_USE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _read(argv: list[str]) -> _Call:
    name = next((word for word in argv if not word.startswith("-")), None)
    parser, command = _parser(name)
    arguments, rest = parser.parse_known_args(argv)
    settings = [word for word in rest if _is_setting(word)]
    unknown = [word for word in rest if not _is_setting(word)]
    if unknown:
        parser.error(_complaint(unknown[0], name))
    config = load_configuration(arguments.config)
    config.merge(command_line_settings(settings))
    # Without a command argparse has ended the program by now.
    return _Call(cast("Command", command), arguments, config)


def _complaint(word: str, name: str | None) -> str:
    """Return what is wrong with a word that is neither option nor setting."""
    if _is_setting(f"{word}="):
        return f"{word} needs its value behind an equals sign: {word}=VALUE"
    return (
        f"{word} is not an option of `jupyter otel {name}`; see `jupyter otel {name} "
        "--help`. Settings are written --Class.trait=value."
    )


def _is_setting(word: str) -> bool:
    name, equals, _ = word.partition("=")
    kind, dot, trait = name.removeprefix("--").partition(".")
    return word.startswith("--") and bool(equals and kind and dot and trait)


def _parser(name: str | None) -> tuple[argparse.ArgumentParser, Command | None]:
    """Return the parser; only the named command's module is imported."""
    parser = argparse.ArgumentParser(
        prog="jupyter otel",
        description="Jupyter events as OpenTelemetry logs and spans.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    chosen = None
    for known, summary in _COMMANDS.items():
        sub = commands.add_parser(
            known,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog="Settings: --Class.trait=value, e.g. --OtelPolicy.level=usage.",
            allow_abbrev=False,
        )
        add_config_option(sub, default=None)
        if known == name:
            module = import_module(f"jupyter_otel.cli.{known.replace('-', '_')}")
            chosen = cast("Command", module)
            chosen.add_arguments(sub)
    return parser, chosen


if __name__ == "__main__":
    sys.exit(main())
