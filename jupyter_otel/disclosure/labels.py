"""What a policy says about each property of a schema, without any event."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NoReturn

from jupyter_otel.policy.policy import Policy
from jupyter_otel.redaction.compiler import Redactor
from jupyter_otel.schema import Action, Decision, Node, PropertyPath, Schema

_MOST_LEVELS = 6


def labels(schema: Schema, policy: Policy) -> dict[PropertyPath, Decision]:
    """Return what is decided for each declared property that has no parts."""
    redactor = Redactor(_no_value, policy.identity_action, lambda _remark, _times: None)
    decide = partial(policy.decide, schema)
    unclassified = policy.decide_unclassified(schema.overlay)
    found: dict[PropertyPath, Decision] = {}
    for path, decision in redactor.compile(
        schema, decide, unclassified
    ).decisions.items():
        parts = list(_parts(node_at(schema.root, path), path))
        if not parts or decision.category or decision.action is not Action.ALLOW:
            found[path] = decision
            continue
        # An array of objects, say: it goes out, each part of it as its own rule says.
        found |= {part: decide(part, node) or unclassified for part, node in parts}
    return found


def node_at(node: Node, path: PropertyPath) -> Node:
    """Return what a schema declares at a path."""
    return _nodes_on(node, path)[-1]


def subschema_at(schema: Schema, path: PropertyPath) -> Mapping[str, Any]:
    """Return what a body itself writes at a path, nothing where a reference leads."""
    body: Any = schema.body
    for name in path:
        body = body if isinstance(body, Mapping) else {}
        below = body.get("properties")
        found = below.get(name) if isinstance(below, Mapping) else None
        if found is None and name == "*":
            found = body.get("items") or body.get("additionalProperties")
        body = found
    return body if isinstance(body, Mapping) else {}


def without_repetition(root: Node, path: PropertyPath) -> PropertyPath:
    """Return a path, cut with ``**`` where a recursive schema begins anew."""
    nodes = _nodes_on(root, path)
    for depth, node in enumerate(nodes[:-1]):
        if any(node is earlier for earlier in nodes[:depth]):
            return (*path[:depth], "**")
    return path


def _nodes_on(node: Node, path: PropertyPath) -> list[Node]:
    """Return the nodes from the root to a path's end, as far as they are declared."""
    nodes = [node]
    for name in path:
        below = node.properties.get(name) or node.items or node.others
        if below is None:
            break
        node = below
        nodes.append(node)
    return nodes


def _parts(node: Node, path: PropertyPath) -> Iterator[tuple[PropertyPath, Node]]:
    """Yield the named values inside arrays and maps; a recursive schema ends."""
    below = [*node.properties.items()]
    below += [("*", inner) for inner in (node.items, node.others) if inner is not None]
    for name, inner in below if len(path) < _MOST_LEVELS else ():
        deeper = list(_parts(inner, (*path, name)))
        yield from deeper
        if not deeper and name != "*":
            yield (*path, name), inner


def property_name(path: PropertyPath) -> str:
    """Return a path as overlays write it."""
    return ".".join(name.replace(".", "\\.") for name in path)


def _no_value(_value: Any) -> NoReturn:
    raise AssertionError("No event, no hash.")
