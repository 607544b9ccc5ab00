"""A recording intake, and the check that no hook swallowed an error unseen."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from jupyter_otel.event import Attribution
from jupyter_otel.schema import Node, Overlay, Schema
from jupyter_otel.sources.notebook_runs import NotebookRuns, RunCapture
from jupyter_otel.tally import Refusal
from tests.unit.sources.notebook_rig import EXECUTION, PARENT, RUN, Clock, Spans


def pytest_configure(config):
    config.addinivalue_line("markers", "swallows: the edge of a hook has an error")


NOBODY = Attribution()


class Taken(NamedTuple):
    """One event as it was handed in."""

    schema: Schema
    data: dict[str, Any]
    attribution: Attribution


class RecordingIntake:
    """An intake that keeps what it is handed."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.adopted: list[tuple[Mapping[str, Any], str]] = []
        self.schemas: dict[str, Schema] = {}
        self.refused: Counter[str] = Counter()

    def find(self, schema_id: str) -> Schema | None:
        """Return what `schemas` holds."""
        return self.schemas.get(schema_id)

    def adopt(self, body: Mapping[str, Any], origin: str) -> Schema:
        """Make a schema and note that it was asked for."""
        self.adopted.append((body, origin))
        return make_schema(body["$id"], body, origin)

    def admits(self, schema: Schema) -> bool:
        """Return whether any overlay names it."""
        return schema.overlay.known

    def refuse(self, reason: Refusal, events: int = 1) -> None:
        """Count."""
        self.refused[reason] += events

    def emit(
        self,
        schema: Schema,
        data: Mapping[str, Any],
        attribution: Attribution = NOBODY,
    ) -> bool:
        """Keep the event."""
        self.taken.append(Taken(schema, dict(data), attribution))
        return True

    @property
    def data(self) -> list[dict[str, Any]]:
        """Return only the data of what was handed in."""
        return [event.data for event in self.taken]


def make_schema(
    schema_id: str, body: Mapping[str, Any] | None = None, origin: str = "test"
) -> Schema:
    return Schema(
        id=schema_id,
        version="1",
        package=None,
        origin=origin,
        body=body or {"$id": schema_id},
        root=Node(),
        overlay=Overlay(known=True),
    )


@pytest.fixture
def intake() -> RecordingIntake:
    return RecordingIntake()


@pytest.fixture(autouse=True)
def swallowed(request, caplog):
    """Turn what an edge swallowed into a failure, but in tests marked for it."""
    with caplog.at_level(logging.ERROR, logger="jupyter_otel"):
        yield caplog
    if request.node.get_closest_marker("swallows") is None:
        messages = [r.getMessage() for r in caplog.get_records("call")]
        assert [m for m in messages if m.startswith("jupyter_otel:")] == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_runs(intake, clock):
    """Return what makes the runs of a capture that is changed a little."""

    def make(**changes):
        about = {
            "intake": intake,
            "run_schema": RUN,
            "execution_schema": EXECUTION,
            "takes_code": False,
            "spans": Spans(),
            "parent": lambda: PARENT,
            "now_ns": lambda: clock.now_ns,
            "call_later": clock.call_later,
        }
        return NotebookRuns(RunCapture(**{**about, **changes}))

    return make


@pytest.fixture
def runs(make_runs):
    return make_runs()
