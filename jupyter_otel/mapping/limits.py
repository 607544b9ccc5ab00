"""OpenTelemetry's attribute limits, as ``OTEL_*`` variables set them.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
#attribute-limits ; a value that cannot be used is a warning and ignored.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

_DEFAULT_COUNT = 128


@dataclass(frozen=True, slots=True)
class AttributeLimits:
    """How many attributes one record may have, and how long their texts are."""

    max_count: int = _DEFAULT_COUNT
    max_characters: int | None = None


def attribute_limits(
    kind: str, warnings: list[str], environ: Mapping[str, str] | None = None
) -> AttributeLimits:
    """Return the limits of a ``LOGRECORD`` or a ``SPAN``.

    A kind's own variable beats the general one. ``warnings`` gets a line for each
    variable that cannot be used.
    """
    environ = os.environ if environ is None else environ
    forms = (f"OTEL_{kind}_ATTRIBUTE", "OTEL_ATTRIBUTE")

    def read(limit: str) -> int | None:
        for form in forms:
            number = _whole_number(f"{form}_{limit}", environ, warnings)
            if number is not None:
                return number
        return None

    count, length = read("COUNT_LIMIT"), read("VALUE_LENGTH_LIMIT")
    return AttributeLimits(_DEFAULT_COUNT if count is None else count, length)


def _whole_number(
    name: str, environ: Mapping[str, str], warnings: list[str]
) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    warnings.append(f"{name} must be a whole number from 0, got {text!r}. Ignored.")
    return None
