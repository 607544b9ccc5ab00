"""The event name that a schema id stands for.

::

    https://user@schema.example.com:8443/my-tool/b/v1?draft#top
    └scheme┘└ui┘ └─────host───────┘└port┘└─path──┘└──not read──┘
                       │                   │
             com.example.schema  .  my_tool.b

The rules are the contract's; `schemas/conventions/event_names.json` publishes them as
examples for other languages. A schema's version is read in the catalog, not here.
"""

import re
from functools import lru_cache

_OWN_HOSTS = frozenset({"events.jupyter.org", "schema.jupyter.org", "hub.jupyter.org"})
"""Hosts that say no more than that an event is Jupyter's."""

_SILENT_SEGMENT = re.compile(r"events|v[0-9]+|.*\.schema\.json", re.DOTALL)
_OUTSIDE_ALPHABET = re.compile(r"[^a-z0-9_]")
_UNNAMED = "unnamed"


@lru_cache(maxsize=4096)
def event_name(schema_id: str) -> str:
    """Return the OpenTelemetry event name of a schema's id.

    It is lower-case, of dot-joined words out of ``a-z 0-9 _``, and never empty. Two ids
    may share a name; the attribute ``jupyter.schema.id`` keeps them apart.
    """
    reference = schema_id.partition("#")[0].partition("?")[0]
    _, has_authority, rest = reference.partition("//")
    if has_authority:
        authority, _, path = rest.partition("/")
        labels, segments = _host_labels(authority), path.split("/")
    else:
        labels, segments = [], re.split("[:/]", reference)
    kept = [part for part in segments if not _SILENT_SEGMENT.fullmatch(part)]
    return ".".join(_word(part) for part in labels + kept if part) or _UNNAMED


def _host_labels(authority: str) -> list[str]:
    """Return the host's labels, last first; none of a host that is Jupyter's own."""
    host = authority.rpartition("@")[2]
    if host.startswith("["):  # an IPv6 address: no labels, and its colons are no port
        return [host.partition("]")[0] + "]"]
    host = host.partition(":")[0].lower()
    return [] if host in _OWN_HOSTS else host.split(".")[::-1]


def _word(part: str) -> str:
    return _OUTSIDE_ALPHABET.sub("_", part.lower())
