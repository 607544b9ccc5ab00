"""Builds a running pipeline from settings, and takes it down again in time.

What each part does is in the part; here is only what is given to which.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_otel.catalog.catalog import Catalog
from jupyter_otel.config import Settings
from jupyter_otel.consent.consent import Consent, ConsentMode
from jupyter_otel.delivery import Delivery
from jupyter_otel.environment import export_settings, sdk_disabled
from jupyter_otel.event import Source, SpanContext
from jupyter_otel.export.destination import open_destination
from jupyter_otel.mapping.limits import attribute_limits
from jupyter_otel.mapping.mapper import Mapper
from jupyter_otel.mapping.requests import RequestWriter
from jupyter_otel.mapping.resource import resource_bytes, scope_bytes
from jupyter_otel.pipeline import Pipeline
from jupyter_otel.policy.policy import CodePolicy, IdentityPolicy, Policy
from jupyter_otel.preview import Previewer
from jupyter_otel.processor import Stages
from jupyter_otel.redaction.compiler import Redactor
from jupyter_otel.redaction.keyed_hash import KeyFile
from jupyter_otel.redaction.rebuild import Count
from jupyter_otel.schema import Group, Level
from jupyter_otel.spool.adoption import adopt_orphans
from jupyter_otel.spool.spool import Spool
from jupyter_otel.tally import Books, DropReason, Signal
from jupyter_otel.tracing.spans import SpanStarter

SERVICE_NAMES: Mapping[Source, str] = {
    Source.SERVER: "jupyter-server",
    Source.HUB: "jupyterhub",
    Source.KERNEL: "jupyter-kernel",
    Source.BROWSER: "jupyter-browser",
    Source.APP: "jupyter-otel",
}
_MEMORY_BYTES = 16 * 2**20
_MIB = 2**20
_POLL_S = 0.005


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


def build_consent(settings: Settings) -> Consent:
    """Return who decides about each group of schemas."""
    groups = settings.consent.groups
    return Consent(
        mode=ConsentMode(settings.consent.mode),
        groups={Group(name): ConsentMode(mode) for name, mode in groups.items()},
    )


def build_stages(
    settings: Settings,
    catalog: Catalog,
    *,
    start_span: Callable[[], SpanContext],
    count: Count,
    warnings: list[str],
) -> Stages:
    """Return the stages that an event runs through under these settings.

    Args:
        settings: Checked.
        catalog: Of the schemas.
        start_span: Gives a root span's ids.
        count: Counts properties that redaction leaves out.
        warnings: Gets a line for each ``OTEL_*`` limit that cannot be used.
    """
    policy = build_policy(settings, catalog)
    keyed_hash = KeyFile(Path(settings.redaction.hash_key_file)).load()
    return Stages(
        catalog=catalog,
        policy=policy,
        consent=build_consent(settings),
        redactor=Redactor(keyed_hash, policy.identity_action, count),
        mapper=Mapper(
            start_span=start_span,
            log_limits=attribute_limits("LOGRECORD", warnings),
            span_limits=attribute_limits("SPAN", warnings),
        ),
    )


class Running(NamedTuple):
    """A pipeline at work, with all that has to be stopped in order."""

    pipeline: Pipeline
    spool: Spool
    deliveries: Mapping[Signal, Delivery]
    destinations: Mapping[str, str]
    books: Books
    directory: Path | None
    adoption: threading.Thread | None

    def flush(self, timeout_s: float) -> bool:
        """Try to have everything sent; False if something is pending at the end."""
        deadline_s = time.monotonic() + timeout_s
        if self.adoption is not None:
            self.adoption.join(timeout_s)
        if not self.pipeline.finish(max(deadline_s - time.monotonic(), 0)):
            return False
        for delivery in self.deliveries.values():
            delivery.hurry()
        return self._wait_until_empty(deadline_s)

    def stop(self, timeout_s: float) -> None:
        """Stop everything within the time; what was not sent waits in the spool."""
        deadline_s = time.monotonic() + timeout_s
        self.pipeline.stop(timeout_s / 2)
        for delivery in self.deliveries.values():
            delivery.hurry()
        self._wait_until_empty(deadline_s)
        for delivery in self.deliveries.values():
            delivery.stop(max(deadline_s - time.monotonic(), 0.05))
        if self.directory is None:
            for signal, records in self.spool.pending().items():
                self.books.drop(signal, DropReason.SHUTDOWN, records)
        for loss in self.spool.close():
            self.books.drop(*loss)

    def spool_status(self) -> dict[str, Any]:
        """Return where rows wait, how much, and since when, as JSON."""
        oldest_ns = self.spool.oldest_ns()
        return {
            "directory": None if self.directory is None else str(self.directory),
            "bytes": self.spool.size_bytes(),
            "oldest_s": None if oldest_ns is None else _age_s(oldest_ns),
        }

    def last_errors(self) -> dict[str, str | None]:
        """Return what last went wrong on the way out, per signal."""
        return {
            signal.value: delivery.last_error
            for signal, delivery in self.deliveries.items()
        }

    def _wait_until_empty(self, deadline_s: float) -> bool:
        while self.books.pending():
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(_POLL_S)
        return True


def start(
    settings: Settings,
    stages: Stages,
    books: Books,
    *,
    source: Source,
    strict: bool,
    warnings: list[str],
) -> Running:
    """Open the spool and the destinations, adopt what dead processes left, start.

    Raises:
        ConfigError: A destination cannot be used.
        SpoolError: The spool's directory cannot be written.
    """
    deliveries: dict[Signal, Delivery] = {}
    names: dict[str, str] = {}
    destinations = {}
    for signal in _signals(settings):
        export = export_settings(signal, settings.export)
        warnings.extend(text for text in export.warnings if text not in warnings)
        destinations[signal] = open_destination(signal, export.settings)
    directory = _spool_directory(settings)
    spool = _open_spool(settings, directory)
    for signal, destination in destinations.items():
        deliveries[signal] = Delivery(signal, spool, destination, books)
        names[signal.value] = destination.name
    pipeline = Pipeline(
        stages,
        spool,
        _requests(source),
        books,
        source=source,
        wake_delivery=lambda signal: deliveries[signal].wake(),
        sends_traces=Signal.TRACES in deliveries,
        revision=policy_revision(settings),
        sync_timeout_s=_sync_timeout_s(settings),
        strict=strict,
    )
    for delivery in deliveries.values():
        delivery.start()
    pipeline.start()
    adoption = _start_adoption(spool, directory, books, deliveries)
    return Running(pipeline, spool, deliveries, names, books, directory, adoption)


def _start_adoption(
    spool: Spool,
    directory: Path | None,
    books: Books,
    deliveries: Mapping[Signal, Delivery],
) -> threading.Thread | None:
    """Take over what dead processes left, beside the start: it may be 64 MiB."""
    if directory is None:
        return None

    def adopt() -> None:
        for signal in adopt_orphans(spool, directory, books.accept):
            if signal in deliveries:
                deliveries[signal].wake()

    thread = threading.Thread(target=adopt, name="jupyter_otel-adopt", daemon=True)
    thread.start()
    return thread


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


def _age_s(since_ns: int) -> float:
    return max(time.time_ns() - since_ns, 0) / 1e9


def _signals(settings: Settings) -> list[Signal]:
    return [Signal.LOGS, *([Signal.TRACES] if settings.traces.enabled else [])]


def _spool_directory(settings: Settings) -> Path | None:
    if settings.spool.durability == "memory" or settings.spool.max_mib == 0:
        return None
    return Path(settings.spool.directory)


def _open_spool(settings: Settings, directory: Path | None) -> Spool:
    return Spool(
        directory,
        max_bytes=settings.spool.max_mib * _MIB or _MEMORY_BYTES,
        max_age_s=settings.spool.max_age_s,
        when_full="refuse" if settings.spool.when_full == "refuse" else "drop",
        synchronous=settings.spool.durability == "sync",
    )


def _sync_timeout_s(settings: Settings) -> float | None:
    if settings.spool.durability != "sync":
        return None
    return settings.spool.sync_timeout_s


def _requests(source: Source) -> RequestWriter:
    resource = resource_bytes({}, service_name=SERVICE_NAMES[source])
    return RequestWriter(resource, {each: scope_bytes(each) for each in Source})


def policy_revision(settings: Settings) -> str:
    """Return a short name of the policy, another one whenever it changes."""
    policy: dict[str, Any] = settings.policy.trait_values(config=True)
    files = [Path(file).read_text(encoding="utf-8") for file in settings.policy.files]
    text = json.dumps([policy, files], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
