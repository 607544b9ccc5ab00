import pytest
from jupyter_events import EventLogger

from jupyter_otel.event import Attribution, Person
from jupyter_otel.sources.documents import (
    CONTENTS_SERVICE,
    DOCUMENT_OPENED,
    DocumentsHandler,
    Opening,
    describe,
)
from tests.unit.sources.conftest import make_schema

ANN = Person("user:ann", "ann")


@pytest.fixture
def bus():
    bus = EventLogger()
    bus.register_event_schema(
        {
            "$id": CONTENTS_SERVICE,
            "version": "1",
            "title": "Contents",
            "type": "object",
            "properties": {"action": {"type": "string"}, "path": {"type": "string"}},
        }
    )
    return bus


def watch(bus, intake, opening):
    schema = make_schema(DOCUMENT_OPENED)
    handler = DocumentsHandler(
        intake, schema, lambda: opening, lambda: Attribution(person=ANN)
    )
    bus.register_handler(handler)


def emit(bus, **data):
    return bus.emit(schema_id=CONTENTS_SERVICE, data=data)


def test_a_document_got_for_its_content_is_opened_by_whoever_asked(bus, intake):
    watch(bus, intake, Opening("/thesis/a.ipynb", "notebook", None))

    emit(bus, action="get", path="thesis/a.ipynb")

    [taken] = intake.taken
    assert taken.schema.id == DOCUMENT_OPENED
    assert taken.data == {
        "path": "thesis/a.ipynb",
        "type": "notebook",
        "extension": "ipynb",
    }
    assert taken.attribution.person == ANN
    assert taken.attribution.time_ns is not None


def test_what_opens_nothing_is_not_reported(bus, intake):
    watch(bus, intake, None)

    emit(bus, action="get", path="a.ipynb")

    assert intake.taken == []


def test_what_an_opened_folder_lists_is_not_opened(bus, intake):
    watch(bus, intake, Opening("/thesis", "directory", None))

    emit(bus, action="get", path="thesis/a.ipynb")
    emit(bus, action="get", path="thesis")

    assert intake.data == [{"path": "thesis", "type": "directory"}]


@pytest.mark.parametrize("action", ["save", "rename", "delete", "copy", "create"])
def test_other_actions_open_nothing(bus, intake, action):
    watch(bus, intake, Opening("a.txt", "file", None))

    emit(bus, action=action, path="a.txt")

    assert intake.taken == []


@pytest.mark.parametrize(
    ("path", "opening", "described"),
    [
        ("", Opening("", "directory", None), {"type": "directory"}),
        (
            "a.CSV",
            Opening("a.CSV", "file", "text"),
            {"extension": "csv", "type": "file", "format": "text"},
        ),
        (
            "a.ipynb",
            Opening("a.ipynb", None, None),
            {"extension": "ipynb", "type": "notebook"},
        ),
        ("a.csv", Opening("a.csv", None, None), {"extension": "csv"}),
        ("folder", Opening("folder", None, None), {}),
        ("a.csv", Opening("a.csv", "directory", None), {"type": "directory"}),
        ("jane.doe", Opening("jane.doe", None, None), {}),
        (
            "notes.johnsmith",
            Opening("notes.johnsmith", "file", None),
            {"type": "file"},
        ),
        ("a.what is this?", Opening("a.what is this?", "chat", "json"), {}),
    ],
)
def test_a_documents_type_is_what_the_client_or_the_name_says(path, opening, described):
    assert describe(path, opening) == {"path": path, **described}
