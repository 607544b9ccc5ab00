import socket

import pytest

from jupyter_otel.catalog.declared import declared_by
from jupyter_otel.catalog.references import References


def outline(node, above=()):
    """Return a node graph as nested plain data; a cycle shows as the word cycle."""
    if any(node is other for other in above):
        return "cycle"
    above = (*above, node)
    shown = {"types": sorted(node.types)} if node.types else {}
    if node.properties:
        shown["properties"] = {
            name: outline(child, above) for name, child in node.properties.items()
        }
    for part in ("items", "others"):
        child = getattr(node, part)
        if child is not None:
            shown[part] = outline(child, above)
    if node.categories:
        shown["categories"] = list(node.categories)
    return shown


@pytest.fixture
def declared():
    """Return what a body declares, as plain data."""
    return lambda body: outline(declared_by(References(body), body))


@pytest.fixture
def overlay_file(tmp_path):
    """Write an overlay file and return its path."""

    def write(text, name="overlay.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def listener():
    """A TCP port of this machine on which a fetch would be seen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server
