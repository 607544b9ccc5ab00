from pathlib import Path

import pytest
from traitlets.config import Config
from traitlets.config.loader import KVArgParseConfigLoader

from jupyter_otel.config import classes, data_directory, read_settings
from jupyter_otel.errors import ConfigError


def config(**settings):
    """Write ``OtelPolicy__level`` for ``OtelPolicy.level``."""
    result = Config()
    for name, value in settings.items():
        section, _, trait = name.partition("__")
        result[section][trait] = value
    return result


def complaint(settings):
    with pytest.raises(ConfigError) as caught:
        read_settings(settings)
    return str(caught.value)


def command_line(*arguments):
    return KVArgParseConfigLoader(list(arguments)).load_config()


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_setting_is_tagged_and_explained(kind):
    own = {
        name: trait
        for name, trait in kind.class_own_traits().items()
        if not name.startswith("_")
    }
    assert own
    for name, trait in own.items():
        assert trait.metadata.get("config") is True, name
        assert len(trait.help.splitlines()[0]) > 10, name


def test_out_of_the_box_nothing_is_collected():
    settings = read_settings(None)
    assert (settings.policy.level, settings.policy.code) == ("none", None)
    assert settings.policy.identity == "hash"
    assert settings.consent.mode == "opt_in"
    assert settings.export.endpoint is None
    assert settings.export.headers is None
    assert settings.export.directory == data_directory() / "export"
    assert settings.spool.directory == data_directory() / "spool"
    assert settings.redaction.hash_key_file == data_directory() / "hash_key"
    assert (settings.spool.max_mib, settings.spool.max_age_s) == (64, 72 * 3600)


def test_every_wrong_setting_is_named_in_one_error():
    wrong = config(
        OtelPolicy__level="usages",
        OtelPolicy__levle="audit",
        OtelPolcy__level="audit",
        OtelSpool__max_mib=-2,
        OtelExport__frobnicate=1,
    )
    lines = complaint(wrong).splitlines()
    assert (
        lines[0] == "OtelPolicy.levle is not a setting. Did you mean OtelPolicy.level?"
    )
    assert "OtelPolcy is not a class of settings. Did you mean OtelPolicy?" in lines
    assert (
        "OtelPolicy.level must be one of none, operational, usage, audit, got "
        "'usages'. Did you mean 'usage'?"
    ) in lines
    assert (
        "OtelSpool.max_mib must be at least 1, or 0, got -2. Set 0 to keep no spool."
        in lines
    )
    assert any(line.startswith("OtelExport.frobnicate is not") for line in lines)
    assert len(lines) == 5


def test_reading_does_not_change_the_configuration():
    given = config(OtelPolicy__levle="audit")
    complaint(given)
    assert given == config(OtelPolicy__levle="audit")


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        (
            "OtelExport__endpoint",
            "localhost:4318",
            (
                "OtelExport.endpoint must be a URL that begins with http:// or "
                "https://, got 'localhost:4318'. Write http://localhost:4318 or "
                "https://…"
            ),
        ),
        (
            "OtelExport__endpoint",
            "ftp://host",
            (
                "OtelExport.endpoint must be a URL that begins with http:// or "
                "https://, got 'ftp://host'. For gRPC too: http:// is plain text, "
                "https:// is TLS."
            ),
        ),
        (
            "OtelExport__logs_endpoint",
            "http://:4318",
            (
                "OtelExport.logs_endpoint must be a URL that begins with http:// or "
                "https://, got 'http://:4318'. The host is missing."
            ),
        ),
        (
            "OtelExport__certificate_file",
            "/nowhere/ca.pem",
            (
                "OtelExport.certificate_file must be a file that can be read, got "
                "'/nowhere/ca.pem'. No such file or directory: correct the path or let "
                "this account read it."
            ),
        ),
        (
            "OtelExport__hold_on_auth_error",
            "yes",
            (
                "OtelExport.hold_on_auth_error must be True or False, got 'yes'. Write "
                "it without quotation marks."
            ),
        ),
        (
            "OtelExport__max_file_mib",
            0,
            "OtelExport.max_file_mib must be at least 1, got 0.",
        ),
        (
            "OtelExport__max_file_mib",
            True,
            "OtelExport.max_file_mib must be at least 1, got True.",
        ),
        (
            "OtelExport__timeout_s",
            0,
            (
                "OtelExport.timeout_s must be a number of seconds above 0, got 0. "
                "Leave it out to use the default."
            ),
        ),
        (
            "OtelPolicy__include",
            [1],
            (
                "OtelPolicy.include must be a list of schema ids or globs, got [1]. "
                "Write each between quotation marks, all between brackets."
            ),
        ),
        (
            "OtelConsent__groups",
            {"security": "opt_in"},
            (
                "OtelConsent.groups must be a mapping of groups to modes, got "
                "{'security': 'opt_in'}. Groups: security, operations, executions, "
                "data, interface, extensions. Modes: opt_in, opt_out, mandatory; of "
                "security: mandatory, off."
            ),
        ),
    ],
)
def test_a_bad_value_is_answered_with_rule_value_and_cure(setting, value, message):
    assert complaint(config(**{setting: value})) == message


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("OtelExport__headers", {"authorization": "Bearer s3cret\r\nx: y"}),
        ("OtelExport__headers", {"s3cret": 1}),
        ("OtelExport__headers", "authorization=s3cret"),
        ("OtelExport__endpoint", "me:s3cret@host:4318"),
        ("OtelExport__endpoint", "ftp://me:s3cret@host:4318"),
        ("OtelExport__endpoint", "host:4318?key=s3cret"),
    ],
)
def test_no_error_repeats_a_secret(setting, value):
    assert "s3cret" not in complaint(config(**{setting: value}))


def test_the_command_line_makes_every_kind_of_value():
    settings = read_settings(
        command_line(
            "--OtelPolicy.level=usage",
            "--OtelPolicy.include=a",
            "--OtelPolicy.include=b*",
            "--OtelPolicy.files=x.yaml",
            "--OtelExport.headers=x-tenant=physics",
            "--OtelExport.timeout_s=2.5",
            "--OtelExport.hold_on_auth_error=true",
            "--OtelSpool.max_mib=0",
            "--OtelConsent.groups=security=off",
        )
    )
    assert settings.policy.level == "usage"
    assert settings.policy.include == ["a", "b*"]
    assert settings.policy.files == [Path("x.yaml")]
    assert settings.export.headers == {"x-tenant": "physics"}
    assert settings.export.timeout_s == 2.5
    assert settings.export.hold_on_auth_error is True
    assert settings.spool.max_mib == 0
    assert settings.consent.groups == {"security": "off"}


def test_a_value_given_twice_names_its_setting():
    given = command_line("--OtelPolicy.level=usage", "--OtelPolicy.level=audit")
    assert complaint(given) == (
        "OtelPolicy.level only accepts one value, got 2: ['usage', 'audit']."
    )


def test_settings_of_other_packages_are_left_alone():
    assert read_settings(config(ServerApp__port=1, OtelHub__x=1)).policy.level == "none"
