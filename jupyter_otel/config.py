"""Every setting that a traitlets file or a command line can make, one class a stage.

Here are names, rules, defaults and help; those about consent and sources are in
``consent_config.py`` and ``sources_config.py`` beside it. `OTEL_*` variables are read
in ``environment.py``; what a setting does is its stage's business.

::

    Config ──read_settings──▶ Settings(policy, redaction, consent, export, …)
                         └──▶ ConfigError: everything that is wrong, one line each
"""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_type_hints

from jupyter_core.paths import jupyter_data_dir
from traitlets import Bool, Enum, Float, Int, List, TraitError
from traitlets.config import Config, Configurable

from jupyter_otel.consent_config import OtelConsent
from jupyter_otel.errors import ConfigError
from jupyter_otel.setting_types import (
    BaseUrl,
    Choice,
    Headers,
    Names,
    Place,
    Places,
    ReadableFile,
    Seconds,
    Switch,
    Whole,
)
from jupyter_otel.sources_config import OtelSources
from jupyter_otel.unknown_settings import take_out_unknown

_DAY_S = 86_400.0


def data_directory() -> Path:
    """Return the folder below Jupyter's data directory that is ours; not made here."""
    return Path(jupyter_data_dir()) / "jupyter_otel"


class OtelPolicy(Configurable):
    """What is collected, and at which level of detail."""

    level: Enum[str] = Choice(
        ("none", "operational", "usage", "audit"),
        default_value="none",
        help="""How much is collected: none, operational, usage or audit.

        Each level takes in the ones before it. none keeps everything inert: no
        handler, no thread, no file, whatever else is set.
        """,
    ).tag(config=True)

    include: List[str] = Names(
        help="""Schema ids, or globs of them, collected on top of the level.

        A schema without any overlay is collected only when it is named here, and
        a control-plane schema only by its exact id.
        """,
    ).tag(config=True)

    exclude: List[str] = Names(
        help="""Schema ids, or globs of them, never collected. Wins over include.""",
    ).tag(config=True)

    files: List[Path] = Places(
        help="""Overlays (YAML files) that classify further schemas; later ones win.

        `jupyter otel schemas check FILE` prints one; the schema must be known too.
        """,
    ).tag(config=True)

    schema_directories: List[Path] = Places(
        help="""Folders of further event schemas (JSON or YAML), read at start.""",
    ).tag(config=True)

    code: Enum[str | None] = Choice(
        ("none", "hash", "text"),
        default_value=None,
        allow_none=True,
        help="""What is kept of executed code: none, hash or text (scrubbed).

        Unset: hash at level audit, else none. Set, it holds at every level.
        Outputs are never recorded.
        """,
    ).tag(config=True)

    identity: Enum[str] = Choice(
        ("none", "hash", "name"),
        default_value="hash",
        help="""How people are named in records: none, hash (HMAC) or name.

        Choose name only where a regulator asks for it: it identifies people.
        """,
    ).tag(config=True)


class OtelRedaction(Configurable):
    """How values are made safe."""

    hash_key_file: Place = Place(
        lambda: data_directory() / "hash_key",
        help="""File with the HMAC key: at least 32 raw bytes.

        Made on first use (mode 0600) as jupyter_otel/hash_key in Jupyter's data
        directory. Servers that share the key give one person one hash.
        """,
    ).tag(config=True)


class OtelExport(Configurable):
    """Where records are sent. Unset, the `OTEL_EXPORTER_OTLP_*` variable counts."""

    endpoint: BaseUrl = BaseUrl(
        help="""Base URL of the receiver, e.g. http://localhost:4318.

        /v1/logs, /v1/traces or /v1/metrics is added, except with grpc. Unset, and no
        OTEL_* variable either: JSON lines in OtelExport.directory.
        """,
    ).tag(config=True)

    logs_endpoint: BaseUrl = BaseUrl(
        help="""Whole URL for log records, used as it is, instead of endpoint.""",
    ).tag(config=True)

    traces_endpoint: BaseUrl = BaseUrl(
        help="""Whole URL for spans, used as it is, instead of endpoint.""",
    ).tag(config=True)

    metrics_endpoint: BaseUrl = BaseUrl(
        help="""Whole URL for metrics, used as it is, instead of endpoint.""",
    ).tag(config=True)

    protocol: Enum[str | None] = Choice(
        ("http/protobuf", "http/json", "grpc"),
        default_value=None,
        allow_none=True,
        help="""How to speak: http/protobuf, http/json or grpc.

        Unset: http/protobuf. grpc needs pip install 'jupyter-otel[grpc]' and, at
        most receivers, port 4317 instead of 4318.
        """,
    ).tag(config=True)

    headers: Headers = Headers(
        help="""Headers sent with each request, e.g. {'x-tenant': 'physics'}.

        Secrets are better kept in headers_file.
        """,
    ).tag(config=True)

    logs_headers: Headers = Headers(
        help="""Headers sent with log records, instead of headers.""",
    ).tag(config=True)

    traces_headers: Headers = Headers(
        help="""Headers sent with spans, instead of headers.""",
    ).tag(config=True)

    metrics_headers: Headers = Headers(
        help="""Headers sent with metrics, instead of headers.""",
    ).tag(config=True)

    headers_file: ReadableFile = ReadableFile(
        help="""File with further headers, one `name: value` a line.

        Read again when it changes, so that a token can be renewed.
        """,
    ).tag(config=True)

    compression: Enum[str | None] = Choice(
        ("none", "gzip", "deflate"),
        default_value=None,
        allow_none=True,
        help="""How requests are compressed: none, gzip or deflate. Unset: none.""",
    ).tag(config=True)

    timeout_s: Float[float | None, float | None] = Seconds(
        default_value=None,
        allow_none=True,
        help="""How long one request may take (seconds). Unset: 10.""",
    ).tag(config=True)

    certificate_file: ReadableFile = ReadableFile(
        help="""PEM file of the authorities that vouch for the receiver (TLS).

        Read again when it changes. Unset: those that this system trusts.
        """,
    ).tag(config=True)

    client_certificate_file: ReadableFile = ReadableFile(
        help="""PEM file of the certificate that we show to the receiver (mTLS).""",
    ).tag(config=True)

    client_key_file: ReadableFile = ReadableFile(
        help="""PEM file of the private key of client_certificate_file.""",
    ).tag(config=True)

    directory: Place = Place(
        lambda: data_directory() / "export",
        help="""Folder of the embedded default: logs.jsonl, traces.jsonl, metrics.jsonl.

        Used, per signal, while neither an endpoint nor an OTEL_*_EXPORTER is set.
        Out of the box: jupyter_otel/export in Jupyter's data directory.
        """,
    ).tag(config=True)

    max_file_mib: Int[int, int] = Whole(
        least=1,
        default_value=64,
        help="""Size at which a file in directory is rotated (MiB, at least 1).""",
    ).tag(config=True)

    hold_on_auth_error: Bool[bool, bool] = Switch(
        default_value=False,
        help="""Whether 401, 403 and 404 pause the endpoint instead of losing data.

        OTLP calls them permanent. True keeps the data until the endpoint answers
        or OtelSpool.max_age_s is over: for tokens that are renewed late.
        """,
    ).tag(config=True)


class OtelSpool(Configurable):
    """What waits on disk until the receiver has it."""

    directory: Place = Place(
        lambda: data_directory() / "spool",
        help="""Folder of the spool files, one a process; on a local disk.

        Out of the box: jupyter_otel/spool in Jupyter's data directory.
        """,
    ).tag(config=True)

    max_mib: Int[int, int] = Whole(
        least=1,
        or_zero=True,
        default_value=64,
        cure="Set 0 to keep no spool.",
        help="""How much one process keeps on disk (MiB, at least 1; 0 keeps none).""",
    ).tag(config=True)

    max_age_s: Float[float, float] = Seconds(
        default_value=3 * _DAY_S,
        help="""How long a record may wait (seconds); then it is dropped as expired.""",
    ).tag(config=True)

    when_full: Enum[str] = Choice(
        ("drop", "refuse"),
        default_value="drop",
        help="""What gives way when the spool is full: drop or refuse.

        drop loses the lowest priority first, the oldest within it; refuse loses
        the new record.
        """,
    ).tag(config=True)

    durability: Enum[str] = Choice(
        ("memory", "batched", "sync"),
        default_value="batched",
        help="""What outlives a crash of this process: memory, batched or sync.

        memory: nothing. batched: all but the last 200 ms. sync: everything, for
        `emit` then returns when the record is on disk.
        """,
    ).tag(config=True)

    sync_timeout_s: Float[float, float] = Seconds(
        default_value=5.0,
        help="""How long `emit` waits for the disk under durability sync (seconds).""",
    ).tag(config=True)


class OtelTraces(Configurable):
    """Whether, and how far, traces are made."""

    enabled: Bool[bool, bool] = Switch(
        default_value=True,
        help="""Whether spans are sent. Log records keep their trace ids either way.""",
    ).tag(config=True)

    kernel: Enum[str] = Choice(
        ("off", "context", "spans"),
        default_value="context",
        help="""What a kernel is told of the trace: off, context or spans.

        context hands the execution's trace to the kernel, so that spans of the
        user's own OpenTelemetry setup become its children. spans gives a setup to
        people who have none, and wants OtelSources.otlp_relay.
        """,
    ).tag(config=True)


class OtelMetrics(Configurable):
    """Whether the books are sent as OpenTelemetry metrics."""

    enabled: Bool[bool | None, bool | None] = Switch(
        default_value=None,
        allow_none=True,
        help="""Whether our own books are sent as metrics, too.

        Every 60 s, or as OTEL_METRIC_EXPORT_INTERVAL says. Unset: only where
        OTEL_METRICS_EXPORTER names an exporter, for many receivers take no metrics.
        """,
    ).tag(config=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """One checked instance of each class."""

    policy: OtelPolicy
    redaction: OtelRedaction
    consent: OtelConsent
    export: OtelExport
    spool: OtelSpool
    traces: OtelTraces
    metrics: OtelMetrics
    sources: OtelSources


_CLASSES: dict[str, type[Configurable]] = get_type_hints(Settings)


def classes() -> list[type[Configurable]]:
    """Return every class of settings, for a host's ``--help-all`` and the docs."""
    return list(_CLASSES.values())


def read_settings(
    config: Config | None, parent: Configurable | None = None
) -> Settings:
    """Return the settings that a configuration makes; it is not changed.

    Raises:
        ConfigError: Names every setting that is unknown or has a bad value, a line
            each, with the rule and the cure.
    """
    config = deepcopy(Config() if config is None else config)
    complaints = take_out_unknown(config, classes())
    made: dict[str, Configurable] = {}
    for field, kind in _CLASSES.items():
        try:
            made[field] = kind(config=config, parent=parent)
        except TraitError as error:
            complaints.append(str(error))
        except ValueError as error:  # one value given twice on a command line
            complaints.append(f"{kind.__name__}.{error}.")
    if complaints:
        raise ConfigError("\n".join(complaints))
    return Settings(**cast("dict[str, Any]", made))
