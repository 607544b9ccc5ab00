"""``jupyter otel hash``: what a value leaves as, and which value a hash stands for.

A hash cannot be read backwards. Who has the key can make the hash of a value and look
for it, or try a list of values against one hash; after a change of keys with the old
one.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from traitlets.config import Config

from jupyter_otel.config import read_settings
from jupyter_otel.errors import ConfigError
from jupyter_otel.redaction.keyed_hash import KeyedHash, KeyFile

_SETTING = "OtelRedaction.hash_key_file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "values",
        metavar="VALUE",
        nargs="*",
        help="a user name, a path, …; without any, the lines of standard input",
    )
    parser.add_argument(
        "--find",
        metavar="HASH",
        help="print only the values that this hash stands for; exit 1 if none does",
    )
    parser.add_argument(
        "--key-file",
        metavar="FILE",
        action="append",
        default=[],
        help="an older key too, once OtelRedaction.hash_key_file has another",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object a line"
    )


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Print each hash and its value."""
    keys = [
        _key(read_settings(config).redaction.hash_key_file, _SETTING),
        *(_key(Path(file), "--key-file") for file in arguments.key_file),
    ]
    _require_known(arguments.find, keys)
    found = False
    for value in arguments.values or _lines():
        for key in keys:
            hashed = key(value)
            if arguments.find in (None, hashed):
                found = True
                sys.stdout.write(_shown(hashed, value, as_json=arguments.json))
    return int(arguments.find is not None and not found)


def _key(path: Path, setting: str) -> KeyedHash:
    """Return the hash under a key that is there; none is made here.

    Raises:
        ConfigError: There is none, or it cannot be used.
    """
    if not path.is_file():
        raise ConfigError(
            f"{setting} must be a file that is there, got {str(path)!r}. The key is "
            "made when something is first collected; name the file that the server has."
        )
    return KeyFile(path, setting).load()


def _require_known(sought: str | None, keys: list[KeyedHash]) -> None:
    if sought is None:
        return
    key_id = sought.partition(":")[0]
    known = [key.key_id for key in keys]
    if key_id not in known:
        raise ConfigError(
            f"--find must be a hash under a key that is here ({', '.join(known)}), got "
            f"one under {key_id}. Name the older key with --key-file."
        )


def _lines() -> Iterator[str]:
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def _shown(hashed: str, value: str, *, as_json: bool) -> str:
    if as_json:
        return f"{json.dumps({'hash': hashed, 'value': value})}\n"
    return f"{hashed}  {value}\n"
