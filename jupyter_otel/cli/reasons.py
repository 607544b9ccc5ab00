"""What a person can do about each reason for which events do not get through."""

from collections.abc import Mapping

from jupyter_otel.schema import Schema
from jupyter_otel.tally import DropReason, Refusal

_CURES: Mapping[str, str] = {
    Refusal.LEVEL: (
        "Its schema is not collected at this OtelPolicy.level, or has no overlay: "
        "raise the level, or name the schema in OtelPolicy.include. `jupyter otel "
        "schemas list` shows each level."
    ),
    Refusal.EXCLUDED: "Take its schema out of OtelPolicy.exclude.",
    Refusal.CONTROL_PLANE: (
        "Its schema carries commands: name it in OtelPolicy.include by its exact id."
    ),
    Refusal.UNKNOWN_SCHEMA: (
        "No schema has this id: register it (--register FILE) or name its folder in "
        "OtelPolicy.schema_directories. `jupyter otel schemas list` shows all ids."
    ),
    Refusal.NOT_JSON: "Its data must be what JSON can say.",
    Refusal.FLOOD: (
        "A kernel reports faster than anybody reads: its code sends by itself, or "
        "opens very much data. Beyond the bound messages are only counted."
    ),
    Refusal.MALFORMED: (
        "A kernel sent what is no report of ours: its code forges, or its "
        "jupyter-otel-kernel is of another version than the server's jupyter-otel."
    ),
    Refusal.NOT_ALLOWED: "A kernel may not report events of this schema.",
    Refusal.UNATTRIBUTED: (
        "A kernel reported of an execution that the server does not know, so nobody "
        "could say whose it is."
    ),
    Refusal.LOST: (
        "It was lost in a kernel, or between kernel and server: less at once gets "
        "through."
    ),
    DropReason.INVALID: (
        "Its data does not fit its schema: `jupyter otel schemas show ID` prints it, "
        "`jupyter otel preview --explain` says where."
    ),
    DropReason.NO_CONSENT: (
        "The person has not said yes, or has said no. They do so on the server's page "
        "otel, or with `jupyter otel consent`."
    ),
    DropReason.REDACTION_ERROR: "This is a bug: please report it, with the schema.",
    DropReason.MAPPING_ERROR: "This is a bug: please report it, with the schema.",
    DropReason.TOO_LARGE: "Send less in one event.",
    DropReason.OVERLOAD: "More events come than this process can take: collect fewer.",
    DropReason.SAMPLED: "OTEL_TRACES_SAMPLER drops spans; the log record stays.",
    DropReason.SPOOL_FULL: (
        "The receiver is away or too slow: see to it, or raise OtelSpool.max_mib."
    ),
    DropReason.SPOOL_ERROR: (
        "The disk does not take it: see to OtelSpool.directory, its rights and quota."
    ),
    DropReason.EXPIRED: "The receiver was away for longer than OtelSpool.max_age_s.",
    DropReason.POLICY_CHANGED: "It was made under an older policy.",
    DropReason.REJECTED: (
        "The receiver does not take it: check endpoint, protocol and credentials with "
        "`jupyter otel doctor --send`."
    ),
    DropReason.SHUTDOWN: (
        "The process ended first: emit before it closes; OtelSpool.durability keeps "
        "more."
    ),
}


_NO_OVERLAY = (
    "No overlay classifies its schema, so no level collects it: name the schema in "
    "OtelPolicy.include, or its overlay in OtelPolicy.files (`jupyter otel schemas "
    "check FILE` prints one to fill in)."
)


def cure(reason: str, schema: Schema | None = None) -> str:
    """Return what to do about a reason of the books, for a schema if it is known."""
    if reason == Refusal.LEVEL and schema is not None and schema.overlay.level is None:
        return _NO_OVERLAY
    return _CURES.get(reason, "")
