"""Sending to receivers: OTLP over HTTP and gRPC, JSON lines, console."""
