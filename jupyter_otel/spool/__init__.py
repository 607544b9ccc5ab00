"""What waits to be sent: rows of ready OTLP bytes, in SQLite, on disk or in memory."""
