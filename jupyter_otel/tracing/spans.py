"""New spans: their ids, and whether they are sampled.

Samplers and id generators are the SDK's, or any that implement its interfaces.
"""

import logging
import os
import threading
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.context import Context

from jupyter_otel.event import SpanContext
from jupyter_otel.tracing.propagation import as_context

if TYPE_CHECKING:  # the SDK costs 11 ms and a MiB: imported when there is a span
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.sdk.trace.sampling import Sampler

_log = logging.getLogger(__name__)

_READ_AT_IMPORT = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"


class _SdkParts(NamedTuple):
    """What a span's identity is made with."""

    sampler: "Sampler"
    ids: "IdGenerator"
    yes: Any
    """The sampler's decision that means: export it."""


class SpanStarter:
    """Gives new spans their identity; safe in any thread.

    Every parent counts as remote: whoever named it, its sampled flag decides, as the
    sampler that ``OTEL_TRACES_SAMPLER`` names says. It decides about spans only; the
    log record of an unsampled span is still sent.
    """

    def __init__(
        self,
        sampler: "Sampler | None" = None,
        id_generator: "IdGenerator | None" = None,
    ) -> None:
        self._given = (sampler, id_generator)
        self._is_prepared_beside = False

    def prepare(self) -> None:
        """Import the SDK and read its variables now, on the caller's thread.

        Else the first span waits for that, 30 ms.
        """
        _ = self._sdk_parts

    def prepare_beside(self) -> None:
        """Do that on a thread of its own, once, beside whatever starts."""
        if not self._is_prepared_beside:
            self._is_prepared_beside = True
            threading.Thread(
                target=self.prepare, name="jupyter_otel-sdk", daemon=True
            ).start()

    @cached_property
    def _sdk_parts(self) -> "_SdkParts":
        sampler, id_generator = self._given
        return _SdkParts(
            sampler or _configured_sampler(),
            id_generator or _sdk("id_generator").RandomIdGenerator(),
            _sdk("sampling").Decision.RECORD_AND_SAMPLE,
        )

    def start(self, parent: SpanContext | None = None, name: str = "") -> SpanContext:
        """Return a new span's identity, under ``parent`` or at the root of a trace."""
        if parent is None:
            trace_id = self._sdk_parts.ids.generate_trace_id()
            return self._begin(trace_id, Context(), b"", name)
        trace_id = int.from_bytes(parent.trace_id, "big")
        return self._begin(trace_id, as_context(parent), parent.span_id, name)

    def _begin(
        self, trace_id: int, parent: Context, parent_span_id: bytes, name: str
    ) -> SpanContext:
        sampler, ids, yes = self._sdk_parts
        verdict = sampler.should_sample(parent, trace_id, name)
        return SpanContext(
            trace_id=trace_id.to_bytes(16, "big"),
            span_id=ids.generate_span_id().to_bytes(8, "big"),
            parent_span_id=parent_span_id,
            sampled=verdict.decision is yes,
        )


def _configured_sampler() -> "Sampler":
    """Return what ``OTEL_TRACES_SAMPLER`` and its argument name, as the SDK reads them.

    The SDK has no public name for it but a whole `TracerProvider`, which also reads
    span limits (and raises), detects a resource and hooks itself into exit and fork.
    """
    sampling = _sdk("sampling")
    read: Callable[[], Sampler] = sampling._get_from_env_or_default  # noqa: SLF001
    try:
        return read()
    except ValueError:  # SDK 1.39 raises for a ratio beyond 1; later ones warn
        _log.warning("OTEL_TRACES_SAMPLER_ARG must be from 0 to 1: ignored.")
        default: Sampler = sampling.DEFAULT_ON
        return default


def _sdk(module: str) -> Any:
    """Import a module of ``opentelemetry.sdk.trace``, whatever the environment says.

    A span limit that is no number makes that import raise; ours are read elsewhere.
    """
    try:
        return import_module(f"opentelemetry.sdk.trace.{module}")
    except ValueError:
        unusable = os.environ.pop(_READ_AT_IMPORT)
        _log.warning("%s must be a whole number from 0: ignored.", _READ_AT_IMPORT)
        try:
            return import_module(f"opentelemetry.sdk.trace.{module}")
        finally:
            os.environ[_READ_AT_IMPORT] = unusable
