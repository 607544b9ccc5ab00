"""The configuration files on Jupyter's config path, as the server reads them.

What they say is ``config.py``'s business. A command line and whatever else runs without
a server find here what the server finds by itself.
"""

from collections.abc import Iterator
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from traitlets.config import Config
from traitlets.config.loader import (
    ConfigFileNotFound,
    FileConfigLoader,
    JSONFileConfigLoader,
    PyFileConfigLoader,
)

from jupyter_otel.errors import ConfigError

# The server's last, so that what a command says is what the server does.
_BASENAMES = ("jupyter_otel_config", "jupyter_server_config")
_LOADERS: dict[str, type[FileConfigLoader]] = {
    ".py": PyFileConfigLoader,
    ".json": JSONFileConfigLoader,
}


def load_configuration(file: str | None) -> Config:
    """Return what a file says, or without one what Jupyter's config path says.

    Raises:
        ConfigError: A file cannot be read.
    """
    if file is not None:
        return _load(Path(file))
    config = Config()
    for path in _found():
        config.merge(_load(path))
    return config


def configuration_files() -> list[Path]:
    """Return the files that are read without ``--config``, the strongest last."""
    return list(_found())


def _found() -> Iterator[Path]:
    """Yield in the order in which the server's own files are merged."""
    for name in _BASENAMES:
        for directory in reversed(jupyter_config_path()):
            paths = (Path(directory, name + suffix) for suffix in _LOADERS)
            yield from filter(Path.is_file, paths)


def _load(path: Path) -> Config:
    loader = _LOADERS.get(path.suffix)
    if loader is None:
        raise ConfigError(
            f"--config must be a .py or .json file, got {str(path)!r}. Rename it."
        )
    try:
        config: Config = loader(str(path.absolute())).load_config()
    except ConfigFileNotFound:
        raise ConfigError(
            f"--config must be a file that is there, got {str(path)!r}. Correct the "
            f"path."
        ) from None
    except Exception as error:  # the file is a program: anything may happen in it
        raise ConfigError(
            f"{path} must be a configuration that can be read, got "
            f"{type(error).__name__}: {error}. Correct the file."
        ) from error
    return config
