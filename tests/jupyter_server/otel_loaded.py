"""A pytest plugin for jupyter_server's own suite: every server has us, at audit.

That suite's fixtures load no extension by themselves, so the configuration that they
make is extended, whoever defines it.
"""

import json

import pytest

OURS = {
    "ServerApp": {"jpserver_extensions": {"jupyter_otel": True}},
    "OtelPolicy": {"level": "audit"},
    "OtelConsent": {"mode": "mandatory"},
}


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    """Add our settings to what the suite's `jp_server_config` returned."""
    result = yield
    if fixturedef.argname == "jp_server_config":
        for section, values in OURS.items():
            present = result.setdefault(section, {})
            for name, value in values.items():
                if isinstance(value, dict):
                    present.setdefault(name, {}).update(value)
                else:
                    present[name] = value
    return result


@pytest.fixture(autouse=True)
def _we_are_loaded(request, jp_asyncio_loop):
    """Ask each test's server, where it has one, whether it collects."""
    if "jp_serverapp" not in request.fixturenames:
        return
    fetch = request.getfixturevalue("jp_fetch")
    answer = jp_asyncio_loop.run_until_complete(fetch("otel", "v1", "status"))
    assert json.loads(answer.body)["level"] == "audit"
