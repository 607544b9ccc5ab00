import hashlib
import hmac
import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_otel.errors import ConfigError
from jupyter_otel.redaction.keyed_hash import KeyedHash, KeyFile

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def plainly(key, message):
    key_id = hashlib.sha256(key).hexdigest()[:8]
    return f"{key_id}:{hmac.new(key, message, 'sha256').hexdigest()}"


@given(st.binary(min_size=1, max_size=200), st.text())
def test_text_is_hashed_as_the_hmac_module_hashes_its_utf8(key, text):
    assert KeyedHash(key)(text) == plainly(key, text.encode("utf-8", "replace"))


@given(JSON.filter(lambda value: not isinstance(value, str)))
def test_anything_else_is_hashed_as_compact_sorted_json(value):
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert KeyedHash(b"k" * 32)(value) == plainly(b"k" * 32, text.encode())


def test_a_hash_asked_for_twice_is_the_same():
    keyed_hash = KeyedHash(b"k" * 32)

    assert keyed_hash("ann") == keyed_hash("ann")


def test_a_key_is_made_once_for_its_owner_only(tmp_path):
    path = tmp_path / "new" / "hash_key"

    first, second = KeyFile(path).load(), KeyFile(path).load()

    assert first("x") == second("x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32
    assert list(path.parent.iterdir()) == [path]


def test_a_short_key_is_refused_with_the_cure(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"short")

    with pytest.raises(ConfigError) as caught:
        KeyFile(path).load()

    assert str(caught.value) == (
        "OtelRedaction.hash_key_file must hold at least 32 raw bytes, got 5 in "
        f"{str(path)!r}. Make one with: head -c 32 /dev/urandom > FILE"
    )


def test_a_key_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="hash_key_file must be a file"):
        KeyFile(tmp_path).load()
