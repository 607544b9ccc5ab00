"""Keyed hashes: the same value gives the same text wherever the key is the same."""

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from jupyter_otel.errors import ConfigError

MIN_KEY_BYTES = 32
_BLOCK_BYTES = 64
_MEMO_ENTRIES = 4096
_MEMO_CHARACTERS = 256


class KeyedHash:
    """HMAC-SHA-256 of values, written ``<key id>:<64 hex>``.

    Text is hashed as its UTF-8 bytes, any other value as compact JSON with sorted
    keys. The key id is the first 8 hex digits of the key's own SHA-256, so that
    hashes made before and after a change of keys can be told apart.
    """

    def __init__(self, key: bytes) -> None:
        self.key_id = hashlib.sha256(key).hexdigest()[:8]
        self._prefix = f"{self.key_id}:"
        padded = _padded(key)
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))
        self._memo: dict[str, str] = {}

    def __call__(self, value: Any) -> str:
        """Return the hash of a JSON value."""
        if type(value) is not str:
            return self.digest(_canonical(value))
        # Before it is looked up: that reads all of a text, too.
        if len(value) > _MEMO_CHARACTERS:
            return self.digest(value.encode())
        known = self._memo.get(value)
        if known is not None:
            return known
        digest = self.digest(value.encode())
        if len(self._memo) < _MEMO_ENTRIES:
            self._memo[value] = digest
        return digest

    def digest(self, message: bytes) -> str:
        """Return the hash of bytes."""
        # Two copies of states that already hold the key: a third of hmac.digest's
        # time. A test holds it equal to the hmac module.
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return self._prefix + outer.hexdigest()


class KeyFile:
    """A key kept in a file, made at first use and readable by its owner only.

    Args:
        path: Of the file.
        setting: Which one led to it, for whoever has to correct it.
    """

    def __init__(
        self, path: Path, setting: str = "OtelRedaction.hash_key_file"
    ) -> None:
        self._path = path
        self._setting = setting

    def load(self) -> KeyedHash:
        """Return the hash under the file's key, making the key where there is none.

        Raises:
            ConfigError: The file cannot be read or made, or holds too short a key.
        """
        try:
            key = self._read() or self._make()
        except OSError as error:
            raise ConfigError(
                f"{self._setting} must be a file that can be read, got "
                f"{str(self._path)!r} ({error.strerror}). Give the path of a key of "
                f"{MIN_KEY_BYTES} raw bytes or more."
            ) from error
        if len(key) < MIN_KEY_BYTES:
            raise ConfigError(
                f"{self._setting} must hold at least {MIN_KEY_BYTES} raw "
                f"bytes, got {len(key)} in {str(self._path)!r}. Make one with: "
                f"head -c {MIN_KEY_BYTES} /dev/urandom > FILE"
            )
        return KeyedHash(key)

    def key_id(self) -> str | None:
        """Return the id of the key, None where there is none that could be used."""
        try:
            key = self._read()
        except OSError:
            return None
        return None if key is None else KeyedHash(key).key_id

    def _read(self) -> bytes | None:
        return self._path.read_bytes() if self._path.exists() else None

    def _make(self) -> bytes:
        """Write a new key; where another process was first, use its key.

        The key is written aside and linked into place whole: no reader ever sees
        a part of it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(MIN_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            _link(draft, self._path)
        finally:
            draft.unlink(missing_ok=True)
        return self._path.read_bytes()


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return


def _padded(key: bytes) -> bytes:
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    return key.ljust(_BLOCK_BYTES, b"\0")


def _canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()
