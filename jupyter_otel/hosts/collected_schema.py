"""The schema of a source, where policy collects it; else nothing is installed."""

from jupyter_otel.schema import Schema
from jupyter_otel.telemetry import Telemetry


def collected_schema(
    telemetry: Telemetry, schema_id: str, *, is_on: bool
) -> Schema | None:
    """Return a schema of ours; None if its source is off or policy does not admit it.

    Args:
        telemetry: One that runs.
        schema_id: Of the schema.
        is_on: What the source's trait says.
    """
    if not is_on:
        return None
    schema = telemetry.intake.find(schema_id)
    return schema if schema is not None and telemetry.intake.admits(schema) else None
