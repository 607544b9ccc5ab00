"""Checks of this machine: the key, the server extension."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_config_path
from traitlets.config import Config

from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.config import Settings
from jupyter_otel.redaction.keyed_hash import MIN_KEY_BYTES

_OTHERS = 0o077


def check_hash_key(settings: Settings) -> Finding:
    """Say whether the key of hashes can be used. It is not shown, nor made."""
    path = settings.redaction.hash_key_file
    if not path.exists():
        if os.access(_existing(path), os.W_OK):
            return Finding("hash key", State.OK, f"{path} is made when first needed")
        what = f"OtelRedaction.hash_key_file {path} is not there and cannot be made"
        return Finding("hash key", State.FAILED, what, "Name a place one can write to.")
    try:
        size = len(path.read_bytes())
    except OSError as error:
        what = f"OtelRedaction.hash_key_file {path} cannot be read ({error.strerror})"
        return Finding("hash key", State.FAILED, what, "Let this account read it.")
    if size < MIN_KEY_BYTES:
        what = f"{path} holds {size} bytes, a key at least {MIN_KEY_BYTES}"
        cure = f"Make one with: head -c {MIN_KEY_BYTES} /dev/urandom > {path}"
        return Finding("hash key", State.FAILED, what, cure)
    if path.stat().st_mode & _OTHERS:
        what = f"{path} can be read by other accounts"
        return Finding("hash key", State.WARNING, what, f"Run: chmod 600 {path}")
    return Finding("hash key", State.OK, str(path))


def check_extension(config: Config) -> Finding:
    """Say whether Jupyter Server loads us."""
    if find_spec("jupyter_server") is None:
        what = "jupyter_server is not installed here: no server records"
        cure = "If one should: pip install 'jupyter-otel[server]'"
        return Finding("extension", State.NOTE, what, cure)
    enabled = _enabled(config)
    if enabled is None:
        what = "no configuration turns the server extension on"
    elif enabled:
        return Finding("extension", State.OK, "jupyter_otel is a server extension")
    else:
        what = "the server extension is turned off"
    cure = "Run: jupyter server extension enable jupyter_otel"
    return Finding("extension", State.WARNING, what, cure)


def _enabled(config: Config) -> bool | None:
    """Return what the server would find: its own files beat ``config.d``."""
    said: dict[str, bool] = {}
    for extensions in (*_config_d(), _extensions(config)):
        said |= extensions
    return said.get("jupyter_otel")


def _config_d() -> Iterator[dict[str, bool]]:
    for directory in reversed(jupyter_config_path()):
        for path in sorted(Path(directory, "jupyter_server_config.d").glob("*.json")):
            with suppress(OSError, ValueError):
                yield _extensions(json.loads(path.read_text("utf-8")))


def _extensions(config: Any) -> dict[str, bool]:
    section = config.get("ServerApp") if isinstance(config, dict) else None
    extensions = (
        section.get("jpserver_extensions") if isinstance(section, dict) else None
    )
    return dict(extensions) if isinstance(extensions, dict) else {}


def _existing(path: Path) -> Path:
    """Return the nearest folder above that is there."""
    return next(
        parent for parent in (path, *path.absolute().parents) if parent.is_dir()
    )
