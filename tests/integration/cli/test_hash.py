import pytest

from jupyter_otel.redaction.keyed_hash import KeyedHash

NOW, BEFORE = KeyedHash(b"n" * 32), KeyedHash(b"b" * 32)


@pytest.fixture
def keys(tmp_path):
    """The arguments that name a key in force and an older one."""
    for name in ("now", "before"):
        (tmp_path / name).write_bytes(name[0].encode() * 32)
    setting = f"--OtelRedaction.hash_key_file={tmp_path / 'now'}"
    return [setting], [setting, "--key-file", str(tmp_path / "before")]


def test_a_value_is_shown_with_its_hash_under_every_key_that_is_named(cli, keys):
    now, both = keys

    assert cli("hash", "ann", *now) == (0, f"{NOW('ann')}  ann\n", "")
    assert cli("hash", "ann", *both) == (
        0,
        f"{NOW('ann')}  ann\n{BEFORE('ann')}  ann\n",
        "",
    )


def test_the_value_of_an_old_hash_is_found_with_the_old_key(cli, keys):
    _, both = keys
    names = "jo\nann\nlee\n"

    found = cli("hash", "--find", BEFORE("ann"), *both, stdin=names)
    none = cli("hash", "--find", BEFORE("bo"), *both, stdin=names)

    assert found == (0, f"{BEFORE('ann')}  ann\n", "")
    assert none == (1, "", "")


def test_a_hash_under_a_key_that_is_not_here_asks_for_the_key(cli, keys):
    now, _ = keys

    status, out, err = cli("hash", "ann", "--find", BEFORE("ann"), *now)

    assert (status, out) == (2, "")
    assert f"got one under {BEFORE.key_id}. Name the older key with --key-file" in err


def test_no_key_is_made_to_show_a_hash(cli, tmp_path):
    missing = tmp_path / "none"

    status, _, err = cli("hash", "x", f"--OtelRedaction.hash_key_file={missing}")

    assert status == 2
    assert "OtelRedaction.hash_key_file must be a file that is there" in err
    assert not missing.exists()
