"""From what may leave to what OpenTelemetry reads: log records, spans, resource.

Everything here takes a `RedactedEvent` or plain values and returns OTLP bytes. What
may leave was decided before; storing and sending come after.
"""
