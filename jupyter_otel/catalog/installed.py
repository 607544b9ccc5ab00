"""Schemas of installed Jupyter packages, read from where they lie, never copied.

The packages are found, not imported.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from jupyter_otel.catalog.files import schema_files


class InstalledFile(NamedTuple):
    """A schema file of an installed package."""

    path: Path
    package: str
    """The distribution's name."""
    origin: str
    """For people, the same on every machine."""


class _Place(NamedTuple):
    """Where a package keeps its event schemas."""

    package: str
    distribution: str
    folder: str


_PLACES = (
    _Place("jupyter_server", "jupyter_server", "event_schemas"),
    # jupyter-collaboration:
    _Place("jupyter_server_ydoc", "jupyter-server-ydoc", "events"),
    _Place("jupyterhub", "jupyterhub", "event-schemas"),
)


def installed_files() -> Iterator[InstalledFile]:
    """Yield the schema files of those packages that are installed here."""
    for package, distribution, folder in _PLACES:
        for root in _roots(package):
            if (root / folder).is_dir():
                for path in schema_files(root / folder):
                    place = path.relative_to(root).as_posix()
                    yield InstalledFile(path, distribution, f"{package}/{place}")


def _roots(package: str) -> list[Path]:
    spec = find_spec(package)
    return [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
