"""Checks of what is to be collected: files, level, consent, schemas."""

import os
from collections.abc import Iterator

from traitlets import Bool

from jupyter_otel.assembly import build_catalog, build_policy
from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.config import Settings
from jupyter_otel.config_files import configuration_files
from jupyter_otel.environment import sdk_disabled
from jupyter_otel.errors import SchemaError


def check_configuration(given: str | None) -> Iterator[Finding]:
    """Say where settings come from."""
    files = [given] if given else [str(path) for path in configuration_files()]
    what = (
        f"read from {', '.join(files)}" if files else "no file on Jupyter's config path"
    )
    yield Finding("configuration", State.OK, what)
    variables = sorted(name for name in os.environ if name.startswith("OTEL_"))
    if variables:
        what = f"also set: {', '.join(variables)}"
        yield Finding("configuration", State.NOTE, what)


def check_level(settings: Settings) -> Finding:
    """Say whether anything is collected at all."""
    level = settings.policy.level
    if sdk_disabled():
        what = "OTEL_SDK_DISABLED is true: nothing is collected"
        return Finding("level", State.WARNING, what, "Unset that variable.")
    if level == "none":
        cure = (
            'Set it to collect: c.OtelPolicy.level = "operational" (or usage, audit).'
        )
        what = "OtelPolicy.level is none: nothing is collected"
        return Finding("level", State.WARNING, what, cure)
    return Finding("level", State.OK, f"OtelPolicy.level is {level}")


def check_consent(settings: Settings) -> Finding:
    """Say whether people's records can leave."""
    mode = settings.consent.mode
    if mode == "opt_in":
        what = (
            "OtelConsent.mode is opt_in: whatever a person causes is dropped, kernel "
            "starts included, until they say yes on the page otel or with `jupyter "
            "otel consent grant`"
        )
        return Finding("consent", State.NOTE, what)
    if not settings.consent.notice:
        what = f"OtelConsent.mode is {mode}, and people are told nothing of your own"
        cure = "Say in OtelConsent.notice who collects, and what for."
        return Finding("consent", State.NOTE, what, cure)
    what = f"OtelConsent.mode is {mode}: the page otel shows your notice"
    return Finding("consent", State.OK, what)


def check_sources(settings: Settings) -> Iterator[Finding]:
    """Say what listening to the bus changes for others, and what is not listened to."""
    listening = settings.policy.level != "none" and not sdk_disabled()
    for name, trait in settings.sources.traits(config=True).items():
        usually = isinstance(trait, Bool) and trait.default()
        if listening and usually and not getattr(settings.sources, name):
            what = f"OtelSources.{name} is False: nothing is recorded of them"
            yield Finding("sources", State.NOTE, what)
    if listening and settings.sources.jupyter_events:
        what = (
            "listening makes Jupyter's event bus validate: an extension's invalid "
            "event, silently accepted before, now raises in that extension"
        )
        cure = "If one breaks: c.OtelSources.jupyter_events = False."
        yield Finding("sources", State.NOTE, what, cure)


def check_schemas(settings: Settings) -> Iterator[Finding]:
    """Read every schema and overlay."""
    try:
        catalog = build_catalog(settings)
        schemas = catalog.schemas()
    except SchemaError as error:
        yield Finding("schemas", State.FAILED, str(error))
        return
    policy = build_policy(settings, catalog)
    collected = sum(policy.refusal(schema) is None for schema in schemas)
    what = f"{len(schemas)} known, {collected} of them collected"
    yield Finding("schemas", State.OK, what)
    for pattern in settings.policy.include:
        if not any(char in pattern for char in "*?[") and catalog.find(pattern) is None:
            what = f"OtelPolicy.include names {pattern!r}, which no known schema has"
            cure = "Check the id, or name its folder in OtelPolicy.schema_directories."
            yield Finding("schemas", State.WARNING, what, cure)
    yield from (
        Finding("schemas", State.WARNING, warning) for warning in catalog.warnings
    )
