"""Makes `Collected` of the settings in force and the schemas that are known."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from traitlets import Bool

from jupyter_otel.assembly import build_policy
from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.catalog.files import schemas_root
from jupyter_otel.config import Settings
from jupyter_otel.disclosure.collected import (
    RELAY,
    AddedAttribute,
    Collected,
    CollectedProperty,
    CollectedSchema,
    Destination,
    Kept,
    Road,
    Source,
)
from jupyter_otel.disclosure.labels import labels, property_name, subschema_at
from jupyter_otel.environment import export_settings
from jupyter_otel.export.checks import public_url
from jupyter_otel.mapping.names import event_name
from jupyter_otel.permits import build_consent, policy_revision
from jupyter_otel.policy.policy import Policy
from jupyter_otel.redaction.keyed_hash import KeyFile
from jupyter_otel.redaction.rules import ITEM
from jupyter_otel.schema import Action, Decision, Group, Level, PropertyPath, Schema
from jupyter_otel.tally import Signal

MEANINGS: dict[Action, str] = {
    Action.ALLOW: "leaves as it is",
    Action.TRUNCATE: "leaves, each text in it cut to 64 characters",
    Action.SCRUB: (
        "leaves, with what looks like a secret, a person or an address taken out"
    ),
    Action.HASH: (
        "leaves as a keyed hash: equal values can be recognised, none can be read"
    ),
    Action.MASK: "leaves as ***: only that there was a value",
    Action.DROP: "never leaves",
}
"""What each action does, in plain words."""


def describe(settings: Settings, catalog: Catalog, *, inert: bool) -> Collected:
    """Return what is collected under these settings.

    Args:
        settings: Checked.
        catalog: Of the schemas that are known; not read where nothing is collected.
        inert: Whether nothing is collected, whatever the level says.
    """
    consent = build_consent(settings)
    modes = {group: consent.mode(group).value for group in Group}
    policy = build_policy(settings, catalog, Level.NONE if inert else None)
    inert = policy.level is Level.NONE
    schemas = () if inert else tuple(_schemas(catalog, policy, modes))
    return Collected(
        level=policy.level,
        revision=policy_revision(settings),
        identity=policy.identity.value,
        code=policy.code.value,
        hash_key_id=KeyFile(Path(settings.redaction.hash_key_file)).key_id(),
        notice=settings.consent.notice,
        contact=settings.consent.contact,
        policy_url=settings.consent.policy_url or "",
        modes={group.value: mode for group, mode in modes.items()},
        overlays=tuple(str(path) for path in settings.policy.files),
        schemas=schemas,
        added=() if inert else tuple(_added(catalog, policy)),
        sources=tuple(_sources(settings)),
        destinations=() if inert else tuple(_destinations(settings)),
        kept=_kept(settings),
        roads=tuple(_roads(settings, inert=inert)),
    )


def _schemas(
    catalog: Catalog, policy: Policy, modes: dict[Group, str]
) -> Iterator[CollectedSchema]:
    for schema in catalog.schemas():
        if policy.refusal(schema) is not None:
            continue
        overlay = schema.overlay
        yield CollectedSchema(
            id=schema.id,
            event_name=event_name(schema.id),
            title=_text(schema.body.get("title")),
            package=schema.package,
            origin=schema.origin,
            level=overlay.level,
            chosen_by=_chosen_by(schema, policy),
            group=overlay.group,
            mode=modes[overlay.group],
            makes_span=overlay.span is not None,
            sample=overlay.sample,
            window_s=None if overlay.aggregate is None else overlay.aggregate.window_s,
            properties=tuple(_properties(schema, policy)),
        )


def _chosen_by(schema: Schema, policy: Policy) -> str:
    level = schema.overlay.level
    by_level = level is not None and level.rank <= policy.level.rank
    if by_level and not schema.overlay.control_plane:
        return f"OtelPolicy.level={policy.level}"
    return "OtelPolicy.include"


def _properties(schema: Schema, policy: Policy) -> Iterator[CollectedProperty]:
    for path, decision in labels(schema, policy).items():
        said = subschema_at(schema, path)
        yield CollectedProperty(
            name=property_name(path),
            category=decision.category,
            action=decision.action,
            means=MEANINGS[decision.action],
            attribute=_attribute(path, decision),
            rule=decision.why,
            description=_text(said.get("description")) or _text(said.get("title")),
        )


def _attribute(path: PropertyPath, decision: Decision) -> str | None:
    if decision.action is Action.DROP:
        return None
    # Parts of arrays and maps travel within the attribute of the whole.
    whole = path[: path.index(ITEM)] if ITEM in path else path
    return decision.attribute or f"jupyter.event.{'.'.join(whole)}"


def _text(value: object) -> str | None:
    return " ".join(value.split()) if isinstance(value, str) else None


def _added(catalog: Catalog, policy: Policy) -> Iterator[AddedAttribute]:
    """Yield what is registered and comes out of no event's data."""
    path = schemas_root() / "conventions" / "attributes.yaml"
    registry = yaml.safe_load(path.read_text(encoding="utf-8"))
    of_events = {
        rule.attribute
        for schema in catalog.schemas()
        for rule in schema.overlay.properties
    }
    never = set(_USER_ATTRIBUTES.values()) - {
        _USER_ATTRIBUTES.get(policy.identity_action)
    }
    for name, entry in registry.items():
        if name not in of_events | never and not name.startswith("jupyter.event."):
            on = "resource" if entry["set_on"] == ["resource"] else "record"
            yield AddedAttribute(name, on, " ".join(entry["brief"].split()))
    for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        name, equals, _ = pair.partition("=")
        if equals and name.strip() not in registry:
            means = "Stated by OTEL_RESOURCE_ATTRIBUTES."
            yield AddedAttribute(name.strip(), "resource", means)


_USER_ATTRIBUTES = {Action.HASH: "user.hash", Action.ALLOW: "user.name"}


def _destinations(settings: Settings) -> Iterator[Destination]:
    signals = [Signal.LOGS, *([Signal.TRACES] if settings.traces.enabled else [])]
    for signal in list(Signal) if settings.sources.otlp_relay else signals:
        export = export_settings(signal, settings.export).settings
        if export.kind == "otlp":
            place = public_url(export.endpoint)
            is_encrypted = urlsplit(export.endpoint).scheme == "https"
            yield Destination(signal.value, export.kind, place, is_encrypted)
        else:
            place = str(export.directory) if export.kind == "directory" else export.kind
            yield Destination(signal.value, export.kind, place, None)


def _sources(settings: Settings) -> Iterator[Source]:
    traits = settings.sources.traits(config=True)
    switches = {name: it for name, it in traits.items() if isinstance(it, Bool)}
    for name, trait in switches.items():
        means = trait.help.splitlines()[0].removeprefix("Whether ")
        yield Source(name, bool(getattr(settings.sources, name)), means)


def _kept(settings: Settings) -> Kept:
    spool = settings.spool
    in_memory = spool.durability == "memory" or spool.max_mib == 0
    return Kept(
        place=None if in_memory else str(spool.directory),
        until_sent_s=spool.max_age_s,
        recent_h=settings.consent.recent_h,
        max_mib=spool.max_mib,
    )


def _roads(settings: Settings, *, inert: bool) -> Iterator[Road]:
    yield Road(
        RELAY,
        settings.sources.otlp_relay and not inert,
        "OpenTelemetry data that code in a kernel itself sends to this server "
        "(OtelSources.otlp_relay), where all who use it allow group extensions. It is "
        "passed on as it comes, neither validated nor redacted here; its resource is "
        "marked with the kernel, jupyter.trust=client, and, while nobody else uses it, "
        "whoever started the kernel.",
    )
    yield Road(
        "exporters for programs",
        True,
        "OpenTelemetry data that a program's own code hands to the exporters of this "
        "package: sent as it comes, neither validated nor redacted here. No part of "
        "Jupyter uses them unless somebody writes code that does.",
    )
