"""Builds a running pipeline from settings, and takes it down again in time.

What each part does is in the part; here is only what is given to which.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.choices import Choices
from jupyter_otel.config import Settings
from jupyter_otel.consent.consent import Consent
from jupyter_otel.environment import (
    metric_interval_s,
    metrics_enabled,
    sdk_disabled,
)
from jupyter_otel.event import Source, SpanContext
from jupyter_otel.exporters.relayed import Relayed
from jupyter_otel.mapping.limits import attribute_limits
from jupyter_otel.mapping.mapper import Mapper
from jupyter_otel.mapping.requests import LateRequestWriter, RequestWriter
from jupyter_otel.mapping.resource import (
    resource_attributes,
    resource_bytes,
    scope_bytes,
)
from jupyter_otel.permits import Permits, build_consent, policy_revision
from jupyter_otel.pipeline import Pipeline
from jupyter_otel.policy.policy import CodePolicy, IdentityPolicy, Policy
from jupyter_otel.preview import Previewer
from jupyter_otel.processor import Stages
from jupyter_otel.redaction.compiler import Redactor
from jupyter_otel.redaction.keyed_hash import KeyFile
from jupyter_otel.redaction.known_words import KnownWords
from jupyter_otel.redaction.rebuild import Count
from jupyter_otel.road import Road
from jupyter_otel.schema import Level
from jupyter_otel.self_metrics import SelfMetrics
from jupyter_otel.sources.pipeline_reports import PipelineReports
from jupyter_otel.tally import Books, Signal
from jupyter_otel.tracing.spans import SpanStarter

SERVICE_NAMES: Mapping[Source, str] = {
    Source.SERVER: "jupyter-server",
    Source.HUB: "jupyterhub",
    Source.KERNEL: "jupyter-kernel",
    Source.BROWSER: "jupyter-browser",
    Source.APP: "jupyter-otel",
}


def build_catalog(settings: Settings) -> Catalog:
    """Return the catalog that the settings describe.

    Raises:
        SchemaError: An administrator's schema or overlay cannot be used.
    """
    return Catalog(
        overlay_files=settings.policy.files,
        schema_directories=settings.policy.schema_directories,
    )


def build_policy(
    settings: Settings, catalog: Catalog, level: Level | None = None
) -> Policy:
    """Return the policy that the settings make, or would make at another level."""
    return Policy(
        level=Level(settings.policy.level) if level is None else level,
        include=settings.policy.include,
        exclude=settings.policy.exclude,
        code=CodePolicy(settings.policy.code) if settings.policy.code else None,
        identity=IdentityPolicy(settings.policy.identity),
        overrides=catalog.categories,
    )


def build_stages(  # noqa: PLR0913 - what the stages need
    settings: Settings,
    catalog: Catalog,
    *,
    start_span: Callable[[], SpanContext],
    count: Count,
    warnings: list[str],
    known: KnownWords | None = None,
    consent: Consent | None = None,
) -> Stages:
    """Return the stages that an event runs through under these settings.

    Args:
        settings: Checked.
        catalog: Of the schemas.
        start_span: Gives a root span's ids.
        count: Counts properties that redaction leaves out.
        warnings: Gets a line for each ``OTEL_*`` limit that cannot be used.
        known: Words that scrubbing hides wherever they stand; None: those that this
            process knows by its environment.
        consent: With what people said; None: nobody has said anything.
    """
    policy = build_policy(settings, catalog)
    keyed_hash = KeyFile(Path(settings.redaction.hash_key_file)).load()
    return Stages(
        catalog=catalog,
        policy=policy,
        consent=consent or build_consent(settings),
        redactor=Redactor(
            keyed_hash,
            policy.identity_action,
            count,
            KnownWords.of_process() if known is None else known,
        ),
        mapper=Mapper(
            start_span=start_span,
            log_limits=attribute_limits("LOGRECORD", warnings),
            span_limits=attribute_limits("SPAN", warnings),
        ),
    )


class Running(NamedTuple):
    """A pipeline at work on its road, which have to be stopped in order."""

    pipeline: Pipeline
    road: Road
    reports: PipelineReports
    choices: Choices
    relayed: Relayed
    self_metrics: SelfMetrics | None

    def flush(self, timeout_s: float) -> bool:
        """Try to have everything sent; False if something is pending at the end."""
        deadline_s = time.monotonic() + timeout_s
        self.road.await_adoption(timeout_s)
        if not self.pipeline.finish(max(deadline_s - time.monotonic(), 0)):
            return False
        return self.road.flush(deadline_s - time.monotonic())

    def stop(self, timeout_s: float) -> None:
        """Stop everything within the time; what was not sent waits in the spool."""
        deadline_s = time.monotonic() + timeout_s
        self.reports.report_last()
        self.pipeline.stop(timeout_s / 2)
        if self.self_metrics is not None:
            self.self_metrics.stop(timeout_s / 4)
        self.road.stop(deadline_s - time.monotonic())


def start(
    settings: Settings,
    stages: Stages,
    books: Books,
    *,
    source: Source,
    strict: bool,
    warnings: list[str],
) -> Running:
    """Open the road, start the pipeline on it.

    Raises:
        ConfigError: A destination cannot be used.
        SpoolError: The spool's directory cannot be written.
    """
    revision = policy_revision(settings)
    judge = Permits(stages.consent, revision)
    road = Road(settings, books, _signals(settings), warnings, judge)
    pipeline = Pipeline(
        stages,
        road.spool,
        _requests(source),
        books,
        source=source,
        wake_delivery=road.wake,
        sends_traces=settings.traces.enabled,
        revision=revision,
        sync_timeout_s=_sync_timeout_s(settings),
        strict=strict,
    )
    reports = PipelineReports(books, pipeline)
    road.on_sent = reports.report
    self_metrics = _self_metrics(settings, road, source, warnings)
    road.start()
    pipeline.start()
    if self_metrics is not None:
        self_metrics.start()
    choices = Choices(
        stages.consent, stages.catalog, pipeline, road, settings.consent, revision
    )
    relayed = Relayed(road, stages.consent, stages.redactor.user, revision)
    return Running(pipeline, road, reports, choices, relayed, self_metrics)


def _self_metrics(
    settings: Settings, road: Road, source: Source, warnings: list[str]
) -> SelfMetrics | None:
    if not metrics_enabled(settings.metrics.enabled):
        return None
    road.open(Signal.METRICS)
    name = SERVICE_NAMES[source]
    return SelfMetrics(
        road,
        metric_interval_s(warnings),
        lambda: resource_attributes({}, service_name=name),
    )


def build_previewer(
    settings: Settings, catalog: Catalog, spans: SpanStarter, source: Source
) -> Previewer:
    """Return what shows the fate of single events, apart from any pipeline."""
    stages = build_stages(
        settings,
        catalog,
        start_span=spans.start,
        count=lambda _remark, _times: None,
        warnings=[],
    )
    return Previewer(
        stages,
        _requests(source),
        source,
        is_inert=settings.policy.level == "none" or sdk_disabled(),
        sends_traces=settings.traces.enabled,
    )


def _signals(settings: Settings) -> list[Signal]:
    return [Signal.LOGS, *([Signal.TRACES] if settings.traces.enabled else [])]


def _sync_timeout_s(settings: Settings) -> float | None:
    if settings.spool.durability != "sync":
        return None
    return settings.spool.sync_timeout_s


def _requests(source: Source) -> RequestWriter:
    def describe() -> tuple[bytes, Mapping[str, bytes]]:
        resource = resource_bytes({}, service_name=SERVICE_NAMES[source])
        return resource, {each: scope_bytes(each) for each in Source}

    # Describing the process is slow, and may take seconds where detectors ask others.
    return LateRequestWriter(describe)
