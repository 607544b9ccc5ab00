"""OpenTelemetry SDK exporters that put the SDK's batches on our durable road.

The SDK's own encoders make the requests; nothing of them is validated or redacted, for
they are no events of ours.
"""
