"""The four kinds of events that every contender is measured with.

m1 a contents action; m2 a kernel action; m3 an execution with 2 KB of code; m4 wide
and nested, 60 leaves. Each has its schema, the overlay that ours runs under, and an
endless supply of events, no two alike.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
NUMBER = {"type": "number"}
CODE = "\n".join(f"frame_{n} = load('part-{n}').merge(other)" for n in range(45))[:2000]


class Mix(NamedTuple):
    """One kind of event."""

    name: str
    schema: dict[str, Any]
    rules: dict[str, Any]
    """Overlay rules of its properties; every other one is `operational`."""
    event: Callable[[int], dict[str, Any]]

    @property
    def schema_id(self) -> str:
        """Return the schema's id."""
        return str(self.schema["$id"])

    def events(self, count: int) -> Iterator[dict[str, Any]]:
        """Return ``count`` events, made one by one."""
        return map(self.event, range(count))


def _schema(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$id": f"https://example.org/benchmark/{name}/v1",
        "version": "1",
        "title": f"Benchmark mix {name}",
        "type": "object",
        "required": list(properties)[:1],
        "properties": properties,
    }


def _m1(n: int) -> dict[str, Any]:
    return {"action": "save", "path": f"courses/week-{n % 97}/notebook-{n}.ipynb"}


def _m2(n: int) -> dict[str, Any]:
    return {
        "action": "start",
        "kernel_id": f"5b2d8a2e-7f0c-4a55-9b1c-{n:012d}",
        "kernel_name": "python3",
        "status": "success",
        "status_code": 200,
    }


def _m3(n: int) -> dict[str, Any]:
    return {
        "phase": "finished",
        "status": "ok",
        "error_name": "",
        "queued_ms": 0.25 + n % 7,
        "duration_ms": 12.5 + n % 311,
        "code": f"# {n}\n{CODE}",
        "code_lines": 46,
        "output_count": n % 5,
        "output_bytes": n * 17,
        "notebook_path": f"courses/week-{n % 97}/notebook.ipynb",
        "cell_id": f"cell-{n}",
        "kernel_id": "5b2d8a2e-7f0c-4a55-9b1c-6ad1e4a6e7f1",
        "kernel_name": "python3",
        "execution_count": n,
        "client": "lab",
    }


def _m4(n: int) -> dict[str, Any]:
    return {
        f"part_{part}": {
            "name": f"part {part} of {n}",
            "size": n * part,
            "ratio": n / (part + 3),
            "done": n % 2 == 0,
            "place": {"row": n, "column": part},
        }
        for part in range(10)
    }


_PART = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "size": WHOLE,
        "ratio": NUMBER,
        "done": {"type": "boolean"},
        "place": {"type": "object", "properties": {"row": WHOLE, "column": WHOLE}},
    },
}
_TYPES = {str: TEXT, int: WHOLE, float: NUMBER}


def _flat(event: dict[str, Any]) -> dict[str, Any]:
    return {key: _TYPES[type(value)] for key, value in event.items()}


MIXES = {
    mix.name: mix
    for mix in (
        Mix(
            "m1",
            _schema("m1", {**_flat(_m1(0)), "action": {"enum": ["get", "save"]}}),
            {"path": {"category": "location", "action": "hash"}},
            _m1,
        ),
        Mix("m2", _schema("m2", _flat(_m2(0))), {}, _m2),
        Mix(
            "m3",
            _schema("m3", _flat(_m3(0))),
            {"code": {"category": "content", "action": "hash"}},
            _m3,
        ),
        Mix("m4", _schema("m4", dict.fromkeys(_m4(0), _PART)), {}, _m4),
    )
}
