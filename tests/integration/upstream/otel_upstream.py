"""A pytest plugin that loads the extension into every server that a suite starts.

jupyter_server's own fixtures find no installed extension; a server is given the ones
that its configuration names, so the configuration gets ours.
"""

import pytest

SETTINGS = {
    "OtelPolicy": {"level": "audit", "include": ["*"]},
    "OtelConsent": {"mode": "mandatory"},
}


@pytest.fixture(autouse=True)
def otel(request):
    """Load the extension, and see before the test that it is there."""
    if "jp_configurable_serverapp" not in request.fixturenames:
        yield
        return
    config = request.getfixturevalue("jp_server_config")
    server = config.setdefault("ServerApp", {})
    server.setdefault("jpserver_extensions", {})["jupyter_otel"] = True
    for section, values in SETTINGS.items():
        config.setdefault(section, {}).update(values)
    if "jp_serverapp" not in request.fixturenames:
        yield
        return
    app = request.getfixturevalue("jp_serverapp")
    collection = app.extension_manager.extension_points["otel"].app.collection
    assert collection.telemetry.enabled
    assert "EventLoggerHandler" in {type(h).__name__ for h in app.event_logger.handlers}
    yield
    collection.telemetry.close()
