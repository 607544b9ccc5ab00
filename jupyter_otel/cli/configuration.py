"""What a command line says of settings: where their file is, and one by one.

What files and settings mean is ``config_files.py``'s and ``config.py``'s business.
"""

import argparse
from collections.abc import Sequence
from difflib import get_close_matches

from traitlets.config import Config
from traitlets.config.loader import KVArgParseConfigLoader

from jupyter_otel.config import classes
from jupyter_otel.errors import ConfigError


def add_config_option(parser: argparse.ArgumentParser, *, default: object) -> None:
    """Declare ``--config``; a part of a command gives `argparse.SUPPRESS`."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=default,
        help="read this traitlets file (.py, .json), not the server's own",
    )


def command_line_settings(words: Sequence[str]) -> Config:
    """Return what ``--Class.trait=value`` words say.

    Raises:
        ConfigError: A word names a class that would be ours and is none.
    """
    config: Config = KVArgParseConfigLoader(list(words)).load_config()
    known = [kind.__name__ for kind in classes()]
    for section in config:
        # What is merely misspelt is named, with the right one, where settings are read.
        near = get_close_matches(section, known, n=1, cutoff=0.8)
        if section.startswith("Otel") and not near:
            raise ConfigError(
                f"{section} is not a class of settings. They are: {', '.join(known)}."
            )
    return config
