"""Where records go: OTLP over HTTP or gRPC, JSON lines on disk, the console."""
