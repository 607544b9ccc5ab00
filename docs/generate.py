"""Writes docs/configuration.md from the settings' own definitions (`make docs`).

`tests/unit/test_house.py` fails when the file and the definitions differ.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from traitlets import TraitType, Undefined

from jupyter_otel.config import classes
from jupyter_otel.setting_types import Place

TARGET = Path(__file__).with_name("configuration.md")

HEAD = """\
# Configuration

<!-- Written by `make docs` from jupyter_otel/*config.py: change the texts there. -->

Every setting of jupyter-otel, as `c.Class.setting = value` in
`jupyter_server_config.py` (or `jupyter_otel_config.py`, which the command line reads
first), or as `--Class.setting=value` on a command line. `jupyter otel init server`
prints a working file to start from, and `jupyter otel doctor` checks what you made of
it.

A setting wins over an `OTEL_*` variable, and both over the default. Within each the
one for a single signal (`OtelExport.logs_endpoint`) wins over the one for all. A
setting that cannot be used stops us with a message that says the cure, and the Jupyter
Server starts without us; a variable that cannot be used is a warning and counts as not
set.
"""

# `OTEL_*` variables and what each does.
VARIABLES = {
    "OTEL_SDK_DISABLED": "`true` turns everything off, whatever else is set.",
    "OTEL_SERVICE_NAME": "The resource's `service.name`, instead of our default.",
    "OTEL_RESOURCE_ATTRIBUTES": "Further attributes of the resource.",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "Which detectors describe the process.",
    "OTEL_LOGS_EXPORTER": (
        "`otlp`, `console` or `none` for log records. `otlp` without an endpoint "
        "means `http://localhost:4318`, or port 4317 with gRPC."
    ),
    "OTEL_TRACES_EXPORTER": "The same for spans.",
    "OTEL_METRICS_EXPORTER": (
        "The same for metrics; set, it also turns `OtelMetrics.enabled` on."
    ),
    "OTEL_EXPORTER_OTLP_ENDPOINT": "As `OtelExport.endpoint`.",
    "OTEL_EXPORTER_OTLP_{LOGS,TRACES,METRICS}_ENDPOINT": (
        "As `OtelExport.logs_endpoint` and so on: used as it is. Each variable with "
        "this prefix has these three forms."
    ),
    "OTEL_EXPORTER_OTLP_PROTOCOL": "As `OtelExport.protocol`.",
    "OTEL_EXPORTER_OTLP_HEADERS": (
        "As `OtelExport.headers`, written `name=value,…`, percent-encoded."
    ),
    "OTEL_EXPORTER_OTLP_COMPRESSION": "As `OtelExport.compression`.",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "As `OtelExport.timeout_s`, in seconds.",
    "OTEL_EXPORTER_OTLP_CERTIFICATE": "As `OtelExport.certificate_file`.",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": (
        "As `OtelExport.client_certificate_file`."
    ),
    "OTEL_EXPORTER_OTLP_CLIENT_KEY": "As `OtelExport.client_key_file`.",
    "OTEL_EXPORTER_OTLP_INSECURE": (
        "With gRPC and an endpoint without scheme: `true` is plain text."
    ),
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": (
        "`cumulative`, `delta` or `lowmemory`: what `SpoolMetricExporter` prefers."
    ),
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": (
        "`explicit_bucket_histogram` or `base2_exponential_bucket_histogram`: what "
        "`SpoolMetricExporter` prefers."
    ),
    "OTEL_METRIC_EXPORT_INTERVAL": (
        "How often our own books are sent as metrics, in milliseconds (60000)."
    ),
    "OTEL_TRACES_SAMPLER": (
        "Which spans are sent. The log record of an act is sent in any case."
    ),
    "OTEL_TRACES_SAMPLER_ARG": "The sampler's argument, e.g. a ratio.",
    "OTEL_PROPAGATORS": "Which headers carry the trace. Baggage is never read.",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": (
        "How many attributes a log record has, at most (128). Payload is cut first."
    ),
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT": (
        "How many characters of a text are kept; unset: all."
    ),
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "The same for a span.",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "The same for a span.",
    "OTEL_ATTRIBUTE_COUNT_LIMIT": "For both, where the limit of its own is unset.",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "Likewise.",
    "JUPYTER_OTEL_KERNEL": (
        "In a kernel: what `OtelTraces.kernel` is. Set by the server for each kernel; "
        "a kernelspec's `env` may set another one."
    ),
}


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_settings(), *_variables()])


def _settings() -> Iterator[str]:
    for kind in classes():
        yield f"## {kind.__name__}\n\n{inspect.getdoc(kind)}\n"
        traits = kind.class_own_traits(config=True)
        for name in (name for name in vars(kind) if name in traits):
            trait = traits[name]
            yield f"### {kind.__name__}.{name}\n"
            yield f"{_rule(trait)}{_default(trait)}\n"
            yield f"{inspect.cleandoc(trait.help)}\n"


def _rule(trait: TraitType[Any, Any]) -> str:
    rule = getattr(trait, "rule", "") or trait.info()
    return f"*{rule[:1].upper()}{rule[1:]}.*"


def _default(trait: TraitType[Any, Any]) -> str:
    """Return the default, unless it depends on the machine or the help tells it."""
    value = None if isinstance(trait, Place) else trait.default()
    return "" if value is None or value is Undefined else f" Default: `{value!r}`."


def _variables() -> Iterator[str]:
    yield "## Environment variables\n"
    yield "| variable | what it does |\n|---|---|"
    for name, effect in VARIABLES.items():
        yield f"| `{name}` | {effect} |"
    yield ""


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
