"""What an extension does that is installed and not configured: nothing; it says so."""

import psutil
import pytest


@pytest.fixture(scope="module")
def plain(start_server):
    """Return a server without the extension."""
    return start_server(extensions={"jupyter_otel": False})


@pytest.fixture(scope="module")
def inert(start_server):
    """Return a server with the extension and no settings for it."""
    return start_server()


@pytest.fixture(scope="module", autouse=True)
def first_probe(inert):
    """Return what there is before anything was asked for."""
    return inert.probe()


def test_an_unconfigured_server_is_as_it_would_be_without_us(plain, inert):
    seen, expected = inert.probe(), plain.probe()

    assert seen["threads"] == expected["threads"]
    assert seen["handlers"] == expected["handlers"] == []
    assert seen["connection_class"] == expected["connection_class"]
    assert seen["log_function"] == expected["log_function"]


def test_what_collects_is_not_even_imported(first_probe):
    ours = {name for name in first_probe["modules"] if name.startswith("jupyter_otel")}

    assert ours == {
        "jupyter_otel",
        "jupyter_otel._version",
        "jupyter_otel.errors",
        "jupyter_otel.hosts",
        "jupyter_otel.hosts.server",
        "jupyter_otel.hosts.server.endpoints",
        "jupyter_otel.hosts.server.extension",
    }


def test_no_file_is_made_or_open(inert):
    made = [path for path in inert.home.rglob("*") if "otel" in path.name]
    opened = [file.path for file in psutil.Process(inert.process.pid).open_files()]

    assert made == []
    assert [path for path in opened if "otel" in path] == []


NOTHING = {"accepted": 0, "sent": 0, "pending": 0, "aggregated": 0}


def test_status_answers_with_zeros(inert):
    page = {**NOTHING, "dropped": {}, "refused": {}}

    assert inert.status() == {
        "level": "none",
        "signals": {"logs": page, "traces": page, "metrics": page},
        "remarks": {},
        "spool": None,
        "destinations": {},
        "last_error": {},
        "warnings": [],
        "error": None,
    }


def test_collected_and_consent_answer_empty(inert):
    collected = inert.request("GET", "otel/v1/collected")
    consent = inert.request("GET", "otel/v1/consent")

    assert (collected["level"], collected["schemas"]) == ("none", [])
    assert (consent["level"], consent["mode"]) == ("none", "opt_in")
    assert consent["groups"] == {}
