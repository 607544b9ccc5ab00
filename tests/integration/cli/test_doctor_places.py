"""What the doctor finds on this machine: spool, folders, key, schemas, consent."""

import re
from pathlib import Path

import pytest


def test_a_spool_that_is_a_file_is_found_by_trying_it(doctor, cli):
    file = cli.write("spool", "no folder")
    status, found = doctor("--send", f"--OtelSpool.directory={file}")
    [(state, what, _)] = found["spool"]
    assert (status, state) == (1, "failed")
    assert what.startswith(
        f"OtelSpool.directory must be a directory that can be written, got {file!r} ("
    )
    assert found["send"][0][1] == "not tried: see spool above"


def test_a_spool_is_made_as_the_server_would_and_left_empty(doctor, cli):
    spool = cli.home / "new" / "spool"
    _, found = doctor(f"--OtelSpool.directory={spool}")
    [(state, what, _)] = found["spool"]
    assert state == "ok"
    assert re.fullmatch(
        rf"{spool} can be written, \d+ MiB free, 0 spool files there", what
    )
    assert list(spool.iterdir()) == []


def test_an_export_folder_that_is_a_file_is_found(doctor, cli):
    file = cli.write("export", "no folder")
    status, found = doctor(f"--OtelExport.directory={file}")
    assert status == 1
    assert found["logs"] == [
        (
            "failed",
            f"OtelExport.directory {file} cannot be written",
            "Name one that this account owns.",
        )
    ]


def test_it_says_how_people_say_yes_and_that_they_must_be_told(doctor):
    assert doctor()[1]["consent"] == [
        (
            "note",
            (
                "OtelConsent.mode is opt_in: whatever a person causes is dropped, "
                "kernel starts included, until they say yes on the page otel or with "
                "`jupyter otel consent grant`"
            ),
            "",
        )
    ]
    assert doctor("--OtelConsent.mode=opt_out")[1]["consent"] == [
        (
            "note",
            "OtelConsent.mode is opt_out, and people are told nothing of your own",
            "Say in OtelConsent.notice who collects, and what for.",
        )
    ]
    told = doctor("--OtelConsent.mode=mandatory", "--OtelConsent.notice=We do")[1]
    assert [status for status, *_ in told["consent"]] == ["ok"]


def test_an_overlay_that_cannot_be_used_is_a_failure(doctor, cli):
    overlay = cli.write("overlay.yaml", "schemas: {x: {level: some}}")
    status, found = doctor(f"--OtelPolicy.files={overlay}")
    [(state, what, _)] = found["schemas"]
    assert (status, state) == (1, "failed")
    assert overlay in what


def test_an_included_id_that_nobody_has_is_warned_of(doctor):
    _, found = doctor("--OtelPolicy.include=https://example.org/x")
    assert found["schemas"][1][:2] == (
        "warning",
        "OtelPolicy.include names 'https://example.org/x', which no known schema has",
    )


def test_what_listening_to_the_bus_changes_is_said(doctor):
    assert "sources" not in doctor()[1]
    _, found = doctor("--OtelPolicy.level=usage", "--OtelSources.executions=False")
    off, bus = found["sources"]
    assert off == (
        "note",
        "OtelSources.executions is False: nothing is recorded of them",
        "",
    )
    assert bus[2] == "If one breaks: c.OtelSources.jupyter_events = False."


RELAYING = ("--OtelPolicy.level=usage", "--OtelSources.otlp_relay=True")


def states_and_cures(found):
    return [(state, cure) for state, _, cure in found["kernels"]]


OWN = (
    "Give kernels a receiver of their own: OTEL_EXPORTER_OTLP_ENDPOINT in the env of "
    "their kernelspec."
)


@pytest.mark.parametrize(
    ("setting", "state", "cure"),
    [
        ("--ServerApp.port=8888", "ok", ""),
        ("--ServerApp.sock=/run/jupyter.sock", "warning", OWN),
        ("--ServerApp.client_ca=/ca.pem", "warning", OWN),
        ("--GatewayClient.url=http://gateway", "warning", OWN),
        (
            "--ServerApp.certfile=/c.pem",
            "note",
            "Have the certificate name that host as a subjectAltName.",
        ),
    ],
)
def test_it_says_whether_kernels_reach_the_relay(doctor, setting, state, cure):
    assert states_and_cures(doctor(*RELAYING, setting)[1]) == [(state, cure)]


def test_a_proxy_between_kernels_and_the_relay_is_found(doctor):
    proxy = {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": ""}

    [(state, cure)] = states_and_cures(doctor(*RELAYING, **proxy)[1])

    assert (state, cure[-19:]) == ("warning", "NO_PROXY=127.0.0.1.")
    proxy["NO_PROXY"] = "127.0.0.1"
    assert states_and_cures(doctor(*RELAYING, **proxy)[1]) == [("ok", "")]


def test_spans_of_kernels_that_nobody_takes_are_found(doctor):
    assert "kernels" not in doctor("--OtelPolicy.level=usage")[1]

    _, found = doctor("--OtelPolicy.level=usage", "--OtelTraces.kernel=spans")

    [(state, cure)] = states_and_cures(found)
    assert (state, cure) == ("warning", f"Set c.OtelSources.otlp_relay = True. {OWN}")


def test_a_key_that_is_too_short_or_open_to_others_is_found(doctor, cli):
    key = cli.write("key", "short")
    setting = f"--OtelRedaction.hash_key_file={key}"
    status, found = doctor(setting)
    assert status == 1
    assert found["hash key"][0][:2] == (
        "failed",
        f"{key} holds 5 bytes, a key at least 32",
    )
    cli.write("key", "k" * 32)
    Path(key).chmod(0o644)
    status, found = doctor(setting)
    assert status == 0
    assert found["hash key"][0][0] == "warning"


def test_the_extension_that_is_turned_off_is_found(doctor, cli):
    extensions = {"ServerApp": {"jpserver_extensions": {"jupyter_otel": False}}}
    cli.write("config/jupyter_server_config.json", extensions)
    assert doctor()[1]["extension"] == [
        (
            "warning",
            "the server extension is turned off",
            "Run: jupyter server extension enable jupyter_otel",
        )
    ]
