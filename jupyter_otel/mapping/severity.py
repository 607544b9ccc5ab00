"""OpenTelemetry's severities, and the one that an overlay's rule gives a record.

https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
"""

from collections.abc import Mapping

from jupyter_otel.mapping.wire import bytes_field, varint_field

SEVERITY_NUMBERS: Mapping[str, int] = {
    f"{name}{step or ''}": first + max(step - 1, 0)
    for name, first in (
        ("TRACE", 1),
        ("DEBUG", 5),
        ("INFO", 9),
        ("WARN", 13),
        ("ERROR", 17),
        ("FATAL", 21),
    )
    for step in (0, 2, 3, 4)
}
DEFAULT_SEVERITY = "INFO"
_NUMBER, _TEXT = 2, 3


def severity_fields(text: str) -> bytes:
    """Return a log record's severity number and text."""
    return varint_field(_NUMBER, SEVERITY_NUMBERS[text]) + bytes_field(
        _TEXT, text.encode()
    )
